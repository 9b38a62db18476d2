#include "kernels/forward_dct.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/forward_dct.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/dct_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

// Along columns, all eight at once: the inverse transform's factors, turned around. No sum before
// the products exceeds 16 bits.
template <int kShift>
HWY_INLINE void ForwardPass(V16* rows) {
  V16 sums[4], differences[4];
  for (int i = 0; i < 4; ++i) {
    sums[i] = hn::Add(rows[i], rows[7 - i]);
    differences[i] = hn::Sub(rows[i], rows[7 - i]);
  }
  const Pair outer = Interleave(hn::Add(sums[0], sums[3]), hn::Add(sums[1], sums[2]));
  const Pair inner = Interleave(hn::Sub(sums[0], sums[3]), hn::Sub(sums[1], sums[2]));
  rows[0] = Rounded<kShift>(Mul(outer, 1 << kFactorBits, 1 << kFactorBits));
  rows[4] = Rounded<kShift>(Mul(outer, 1 << kFactorBits, -(1 << kFactorBits)));
  rows[2] = Rounded<kShift>(Mul(inner, kE0, kE));
  rows[6] = Rounded<kShift>(Mul(inner, kE, kE1));
  const Pair d01 = Interleave(differences[0], differences[1]);
  const Pair d23 = Interleave(differences[2], differences[3]);
  rows[1] = Rounded<kShift>(Mul(d01, kF1, kC) + Mul(d23, kZ4, kZ1 + kC));
  rows[3] = Rounded<kShift>(Mul(d01, kC, kF3) + Mul(d23, kZ2 + kC, kZ3));
  rows[5] = Rounded<kShift>(Mul(d01, kZ4, kZ2 + kC) + Mul(d23, kF5, kC));
  rows[7] = Rounded<kShift>(Mul(d01, kZ1 + kC, kZ3) + Mul(d23, kC, kF7));
}

void ForwardBlock(const uint8_t* const* in, size_t column, int16_t* coefficients) {
  V16 rows[8];
  for (int y = 0; y < 8; ++y) {
    const auto row = hn::LoadU(hn::FixedTag<uint8_t, 8>(), in[y] + column);
    rows[y] = hn::Sub(hn::PromoteTo(D16(), row), hn::Set(D16(), 128));
  }
  ForwardPass<kFactorBits - kBetweenBits>(rows);
  Transpose(rows);
  ForwardPass<kFactorBits + kBetweenBits>(rows);
  Transpose(rows);
  for (int y = 0; y < 8; ++y) hn::StoreU(rows[y], D16(), coefficients + y * 8);
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(ForwardBlock);

}  // namespace

void ForwardDct(const uint8_t* const* rows, size_t column, int16_t* coefficients) {
  HWY_DYNAMIC_DISPATCH(ForwardBlock)(rows, column, coefficients);
}

}  // namespace pixpress
#endif  // HWY_ONCE
