#include "kernels/resize_blend.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize_blend.cc"
#include <hwy/cache_control.h>
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

template <class D16>
hn::Vec<D16> LoadSamples(D16 d16, const uint16_t* samples) {
  const hn::RebindToUnsigned<D16> u16;
  return hn::BitCast(d16, hn::Xor(hn::LoadU(u16, samples), hn::Set(u16, 0x8000)));
}

// The sums of two vectors of one output row.
template <class V32>
struct Sums {
  V32 low0, high0, low1, high1;
};

// Two vectors of two rows, interleaved.
template <class V16>
struct Pairs {
  V16 low0, high0, low1, high1;
};

template <class V16, class V32>
HWY_INLINE void AddPairs(const Pairs<V16>& pairs, V16 weights, Sums<V32>* sums) {
  sums->low0 = AddProducts(pairs.low0, weights, sums->low0);
  sums->high0 = AddProducts(pairs.high0, weights, sums->high0);
  sums->low1 = AddProducts(pairs.low1, weights, sums->low1);
  sums->high1 = AddProducts(pairs.high1, weights, sums->high1);
}

// Packs within 128-bit blocks, as interleaving did.
template <int kBits, class D16, class V32>
HWY_INLINE void StoreSums(D16 d16, const Sums<V32>& sums, int16_t* out) {
  hn::StoreU(hn::ReorderDemote2To(d16, RoundBits<kBits>(sums.low0), RoundBits<kBits>(sums.high0)),
             d16, out);
  hn::StoreU(hn::ReorderDemote2To(d16, RoundBits<kBits>(sums.low1), RoundBits<kBits>(sums.high1)),
             d16, out + hn::Lanes(d16));
}

// What is read of a source row some steps later: these are more rows than a CPU's own prefetcher
// follows.
template <typename Sample>
HWY_INLINE void PrefetchAhead(const Sample* samples, size_t step) {
  constexpr size_t kAhead = 256 / sizeof(Sample), kLine = 64 / sizeof(Sample);
  for (size_t i = 0; i < step; i += kLine) hwy::Prefetch(samples + kAhead + i);
}

// Two vectors at a time share the weights, two output rows the interleaved samples.
template <int kBits, bool kTwoRows, typename Sample>
void BlendRowsOf(const Sample* const* rows, const int16_t* weights, size_t taps, size_t samples,
                 int16_t* out, int16_t* second_out) {
  const hn::ScalableTag<int16_t> d16;
  using V16 = hn::Vec<decltype(d16)>;
  using V32 = hn::Vec<hn::RepartitionToWide<decltype(d16)>>;
  const V32 zero = hn::Zero(hn::DFromV<V32>());
  const size_t lanes = hn::Lanes(d16);
  static_assert(2 * HWY_MAX_BYTES / sizeof(int16_t) <= kBlendPadding || HWY_HAVE_SCALABLE);
  for (size_t x = 0; x < samples; x += 2 * lanes) {
    Sums<V32> sums{zero, zero, zero, zero};
    Sums<V32> second_sums{zero, zero, zero, zero};
    for (size_t i = 0; i < taps; i += 2) {
      const Sample* const first = rows[i] + x;
      const Sample* const second = rows[i + 1] + x;
      PrefetchAhead(first, 2 * lanes);
      PrefetchAhead(second, 2 * lanes);
      const auto a0 = LoadSamples(d16, first), b0 = LoadSamples(d16, second);
      const auto a1 = LoadSamples(d16, first + lanes), b1 = LoadSamples(d16, second + lanes);
      const Pairs<V16> pairs{hn::InterleaveLower(d16, a0, b0), hn::InterleaveUpper(d16, a0, b0),
                             hn::InterleaveLower(d16, a1, b1), hn::InterleaveUpper(d16, a1, b1)};
      AddPairs(pairs, WeightPair(d16, weights + i), &sums);
      if (kTwoRows) AddPairs(pairs, WeightPair(d16, weights + taps + i), &second_sums);
    }
    StoreSums<kBits>(d16, sums, out + x);
    if (kTwoRows) StoreSums<kBits>(d16, second_sums, second_out + x);
  }
}

template <int kBits, typename Sample>
void BlendRowsTo(const Sample* const* rows, const int16_t* weights, size_t taps, size_t samples,
                 std::span<int16_t* const> out) {
  if (out.size() == 2) {
    BlendRowsOf<kBits, true>(rows, weights, taps, samples, out[0], out[1]);
  } else {
    BlendRowsOf<kBits, false>(rows, weights, taps, samples, out[0], nullptr);
  }
}

void BlendRows(const int16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
               std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits>(rows, weights, taps, samples, out);
}

// What BlendRows makes of the widened rows: their kFineBits are shifted out with the weights'.
void BlendByteRows(const uint8_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits - kFineBits>(rows, weights, taps, samples, out);
}

void BlendWideRows(const uint16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits>(rows, weights, taps, samples, out);
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
HWY_EXPORT(BlendWideRows);
HWY_EXPORT(WidenRow);
HWY_EXPORT(NarrowRow);

void BlendRows(const int16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
               std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendRows)(rows, weights, taps, samples, out);
}

void BlendByteRows(const uint8_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendByteRows)(rows, weights, taps, samples, out);
}

void BlendWideRows(const uint16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendWideRows)(rows, weights, taps, samples, out);
}

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(WidenRow)(in, samples, out);
}

void NarrowRow(const int16_t* in, size_t samples, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(NarrowRow)(in, samples, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
