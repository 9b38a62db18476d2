#include "kernels/requantize_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/requantize_block.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DI = hn::CappedTag<int32_t, 16>;
using DU = hn::RebindToUnsigned<DI>;
using DN = hn::Rebind<int16_t, DI>;

template <typename Mask>
HWY_INLINE uint64_t BitsOf(Mask mask) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(DI(), mask, bytes);
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

bool Requantize(const int16_t* coefficients, const uint32_t* multipliers, int16_t* values,
                uint64_t* nonzero) {
  const auto rounding = hn::Set(DU(), kRequantizeRounding);
  auto magnitudes = hn::Zero(DU());
  const auto dc = hn::FirstN(DI(), 1);
  uint64_t bits = 0;
  for (size_t i = 0; i < 64; i += hn::Lanes(DI())) {
    auto own = hn::PromoteTo(DI(), hn::LoadU(DN(), coefficients + i));
    if (i == 0) own = hn::IfThenZeroElse(dc, own);
    const auto sign = hn::BroadcastSignBit(own);
    const auto magnitude = hn::BitCast(DU(), hn::Sub(hn::Xor(own, sign), sign));
    magnitudes = hn::Or(magnitudes, magnitude);
    const auto product = hn::Mul(magnitude, hn::LoadU(DU(), multipliers + i));
    const auto level = hn::BitCast(DI(), hn::ShiftRight<16>(hn::Add(product, rounding)));
    bits |= BitsOf(hn::Ne(level, hn::Zero(DI()))) << i;
    hn::StoreU(hn::DemoteTo(DN(), hn::Xor(level, sign)), DN(), values + i);
  }
  *nonzero = bits;
  const auto excess = hn::And(magnitudes, hn::Set(DU(), ~uint32_t{1023}));
  return hn::AllTrue(DU(), hn::Eq(excess, hn::Zero(DU())));
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(Requantize);

}  // namespace

bool RequantizeBlock(const int16_t* coefficients, const BlockMultipliers& multipliers,
                     RequantizedBlock* out) {
  return HWY_DYNAMIC_DISPATCH(Requantize)(coefficients, multipliers.data(), out->values.data(),
                                          &out->nonzero);
}

}  // namespace pixpress
#endif  // HWY_ONCE
