#include "kernels/resize_blend.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize_blend.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/resize_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D16>
hn::Vec<D16> LoadSamples(D16 d16, const int16_t* samples) {
  return hn::LoadU(d16, samples);
}

template <class D16>
hn::Vec<D16> LoadSamples(D16 d16, const uint8_t* samples) {
  return hn::PromoteTo(d16, hn::LoadU(hn::Rebind<uint8_t, D16>(), samples));
}

// Two vectors at a time share the weights; sums are rounded by kBits bits.
template <int kBits, typename Sample>
void BlendRowsOf(const Sample* const* rows, const int16_t* weights, size_t taps, size_t samples,
                 int16_t* out) {
  const hn::ScalableTag<int16_t> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const size_t lanes = hn::Lanes(d16);
  static_assert(2 * HWY_MAX_BYTES / sizeof(int16_t) <= kBlendPadding || HWY_HAVE_SCALABLE);
  for (size_t x = 0; x < samples; x += 2 * lanes) {
    auto low0 = hn::Zero(d32), high0 = hn::Zero(d32), low1 = hn::Zero(d32), high1 = hn::Zero(d32);
    for (size_t i = 0; i < taps; i += 2) {
      const auto pair = WeightPair(d16, weights + i);
      const Sample* const first = rows[i] + x;
      const Sample* const second = rows[i + 1] + x;
      const auto a0 = LoadSamples(d16, first), b0 = LoadSamples(d16, second);
      const auto a1 = LoadSamples(d16, first + lanes), b1 = LoadSamples(d16, second + lanes);
      low0 = AddProducts(hn::InterleaveLower(d16, a0, b0), pair, low0);
      high0 = AddProducts(hn::InterleaveUpper(d16, a0, b0), pair, high0);
      low1 = AddProducts(hn::InterleaveLower(d16, a1, b1), pair, low1);
      high1 = AddProducts(hn::InterleaveUpper(d16, a1, b1), pair, high1);
    }
    // Packs within 128-bit blocks, as interleaving did.
    hn::StoreU(hn::ReorderDemote2To(d16, RoundBits<kBits>(low0), RoundBits<kBits>(high0)), d16,
               out + x);
    hn::StoreU(hn::ReorderDemote2To(d16, RoundBits<kBits>(low1), RoundBits<kBits>(high1)), d16,
               out + x + lanes);
  }
}

void BlendRows(const int16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
               int16_t* out) {
  BlendRowsOf<kWeightBits>(rows, weights, taps, samples, out);
}

// What BlendRows makes of the widened rows: their kFineBits are shifted out with the weights'.
void BlendByteRows(const uint8_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   int16_t* out) {
  BlendRowsOf<kWeightBits - kFineBits>(rows, weights, taps, samples, out);
}

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  const hn::ScalableTag<int16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  size_t x = 0;
  for (; x + hn::Lanes(d16) <= samples; x += hn::Lanes(d16)) {
    hn::StoreU(hn::ShiftLeft<kFineBits>(hn::PromoteTo(d16, hn::LoadU(d8, in + x))), d16, out + x);
  }
  for (; x < samples; ++x) out[x] = static_cast<int16_t>(in[x] << kFineBits);
}

void NarrowRow(const int16_t* in, size_t samples, uint8_t* out) {
  const hn::ScalableTag<int16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  const auto half = hn::Set(d16, 1 << (kFineBits - 1));
  const auto narrow = [&](size_t x) {
    const auto rounded = hn::SaturatedAdd(hn::LoadU(d16, in + x), half);
    return hn::DemoteTo(d8, hn::ShiftRight<kFineBits>(rounded));
  };
  size_t x = 0;
  for (; x + hn::Lanes(d16) <= samples; x += hn::Lanes(d16)) hn::StoreU(narrow(x), d8, out + x);
  if (x == samples) return;
  HWY_ALIGN uint8_t rest[HWY_MAX_BYTES];
  hn::StoreU(narrow(x), d8, rest);
  std::memcpy(out + x, rest, samples - x);
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(BlendRows);
HWY_EXPORT(BlendByteRows);
HWY_EXPORT(WidenRow);
HWY_EXPORT(NarrowRow);

void BlendRows(const int16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
               int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendRows)(rows, weights, taps, samples, out);
}

void BlendByteRows(const uint8_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendByteRows)(rows, weights, taps, samples, out);
}

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(WidenRow)(in, samples, out);
}

void NarrowRow(const int16_t* in, size_t samples, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(NarrowRow)(in, samples, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
