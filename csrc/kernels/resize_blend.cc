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

template <class V32>
struct Sums {
  V32 v0, v1, v2, v3;
};

// Samples of two rows as pairs in 32-bit lanes, of which there are four vectors, and the sums of
// such pairs back to samples. Every pair is used as soon as it is made: there are few registers.
template <typename Sample>
struct Pairing {
  using D16 = hn::ScalableTag<int16_t>;
  using V16 = hn::Vec<D16>;
  using V32 = hn::Vec<hn::RepartitionToWide<D16>>;
  static size_t Step() { return 2 * hn::Lanes(D16()); }  // Samples.

  static V16 Load(const int16_t* samples) { return hn::LoadU(D16(), samples); }
  static V16 Load(const uint16_t* samples) {
    const hn::RebindToUnsigned<D16> u16;
    return hn::BitCast(D16(), hn::Xor(hn::LoadU(u16, samples), hn::Set(u16, 0x8000)));
  }
  template <class Add>
  static HWY_INLINE void ForPairs(const Sample* first, const Sample* second, const Add& add) {
    const D16 d16;
    const auto a0 = Load(first), b0 = Load(second);
    add(hn::InterleaveLower(d16, a0, b0), &Sums<V32>::v0);
    add(hn::InterleaveUpper(d16, a0, b0), &Sums<V32>::v1);
    const auto a1 = Load(first + hn::Lanes(d16)), b1 = Load(second + hn::Lanes(d16));
    add(hn::InterleaveLower(d16, a1, b1), &Sums<V32>::v2);
    add(hn::InterleaveUpper(d16, a1, b1), &Sums<V32>::v3);
  }
  // Packs within blocks of 128 bits, as interleaving did.
  static HWY_INLINE void Store(const Sums<V32>& sums, int16_t* out) {
    const D16 d16;
    hn::StoreU(hn::ReorderDemote2To(d16, sums.v0, sums.v1), d16, out);
    hn::StoreU(hn::ReorderDemote2To(d16, sums.v2, sums.v3), d16, out + hn::Lanes(d16));
  }
};

// Stores the blocks of 128 bits of both in turns.
template <class D16>
HWY_INLINE void StoreBlocks(D16 d16, hn::Vec<D16> even, hn::Vec<D16> odd, int16_t* out) {
  constexpr size_t kSamples = hn::MaxLanes(D16());
  if constexpr (kSamples == 8) {
    hn::StoreU(even, d16, out);
    hn::StoreU(odd, d16, out + kSamples);
  } else if constexpr (kSamples == 16) {
    hn::StoreU(hn::ConcatLowerLower(d16, odd, even), d16, out);
    hn::StoreU(hn::ConcatUpperUpper(d16, odd, even), d16, out + kSamples);
  } else {
    const hn::Half<D16> half;
    StoreBlocks(half, hn::LowerHalf(half, even), hn::LowerHalf(half, odd), out);
    StoreBlocks(half, hn::UpperHalf(half, even), hn::UpperHalf(half, odd), out + kSamples);
  }
}

// Bytes are interleaved by twos, so that masks and shifts widen them: these are cheaper than moves
// between lanes. Pairs of even samples come apart from those of odd ones.
template <>
struct Pairing<uint8_t> {
#if HWY_HAVE_SCALABLE
  using D16 = hn::FixedTag<int16_t, 8>;
#else
  using D16 = hn::ScalableTag<int16_t>;
#endif
  using V16 = hn::Vec<D16>;
  using V32 = hn::Vec<hn::RepartitionToWide<D16>>;
  static size_t Step() { return 2 * hn::Lanes(D16()); }

  template <class Add>
  static HWY_INLINE void ForPairs(const uint8_t* first, const uint8_t* second, const Add& add) {
    const D16 d16;
    const hn::Repartition<uint8_t, D16> d8;
    const hn::RebindToUnsigned<D16> u16;
    const auto a = hn::BitCast(u16, hn::LoadU(d8, first));
    const auto b = hn::BitCast(u16, hn::LoadU(d8, second));
    const auto mask = hn::Set(u16, 255);
    const auto low = hn::InterleaveLower(u16, a, b);
    add(hn::BitCast(d16, hn::And(low, mask)), &Sums<V32>::v0);
    add(hn::BitCast(d16, hn::ShiftRight<8>(low)), &Sums<V32>::v1);
    const auto high = hn::InterleaveUpper(u16, a, b);
    add(hn::BitCast(d16, hn::And(high, mask)), &Sums<V32>::v2);
    add(hn::BitCast(d16, hn::ShiftRight<8>(high)), &Sums<V32>::v3);
  }
  static HWY_INLINE void Store(const Sums<V32>& sums, int16_t* out) {
    const D16 d16;
    const auto even = hn::ReorderDemote2To(d16, sums.v0, sums.v2);
    const auto odd = hn::ReorderDemote2To(d16, sums.v1, sums.v3);
    StoreBlocks(d16, hn::InterleaveLower(d16, even, odd), hn::InterleaveUpper(d16, even, odd), out);
  }
};

template <int kBits, class V32>
Sums<V32> Rounded(const Sums<V32>& sums) {
  return {RoundBits<kBits>(sums.v0), RoundBits<kBits>(sums.v1), RoundBits<kBits>(sums.v2),
          RoundBits<kBits>(sums.v3)};
}

// What is read of a source row some steps later: these are more rows than a CPU's own prefetcher
// follows.
template <typename Sample>
HWY_INLINE void PrefetchAhead(const Sample* samples, size_t step) {
  constexpr size_t kAhead = 256 / sizeof(Sample), kLine = 64 / sizeof(Sample);
  for (size_t i = 0; i < step; i += kLine) hwy::Prefetch(samples + kAhead + i);
}

// The sums of one step of one or two output rows.
template <typename Sample>
struct Step {
  using P = Pairing<Sample>;
  Sums<typename P::V32> first, second;

  // Adds the taps from `begin` to `end` of the rows, at sample x.
  template <bool kFirst, bool kSecond>
  HWY_INLINE void Add(const Sample* const* rows, const BandWeights& weights, size_t begin,
                      size_t end, size_t x) {
    const typename P::D16 d16;
    HWY_UNROLL(2)
    for (size_t i = begin; i < end; i += 2) {
      PrefetchAhead(rows[i] + x, P::Step());
      PrefetchAhead(rows[i + 1] + x, P::Step());
      const auto first_weights = WeightPair(d16, weights.first + i);
      const auto second_weights = WeightPair(d16, weights.second + i);
      P::ForPairs(rows[i] + x, rows[i + 1] + x, [&](auto pair, auto sum) {
        if (kFirst) first.*sum = AddProducts(pair, first_weights, first.*sum);
        if (kSecond) second.*sum = AddProducts(pair, second_weights, second.*sum);
      });
    }
  }
};

// Several vectors at a time share the weights, two output rows the pairs.
template <int kBits, bool kTwoRows, typename Sample>
void BlendRowsOf(const Sample* const* rows, const BandWeights& weights, size_t samples,
                 int16_t* out, int16_t* second_out) {
  using P = Pairing<Sample>;
  static_assert(2 * HWY_MAX_BYTES / sizeof(int16_t) <= kBlendPadding || HWY_HAVE_SCALABLE);
  const auto zero = hn::Zero(hn::DFromV<typename P::V32>());
  for (size_t x = 0; x < samples; x += P::Step()) {
    Step<Sample> sums{{zero, zero, zero, zero}, {zero, zero, zero, zero}};
    if (kTwoRows) {
      sums.template Add<true, false>(rows, weights, 0, weights.second_begin, x);
      sums.template Add<true, true>(rows, weights, weights.second_begin, weights.first_end, x);
      sums.template Add<false, true>(rows, weights, weights.first_end, weights.taps, x);
      P::Store(Rounded<kBits>(sums.second), second_out + x);
    } else {
      sums.template Add<true, false>(rows, weights, 0, weights.taps, x);
    }
    P::Store(Rounded<kBits>(sums.first), out + x);
  }
}

template <int kBits, typename Sample>
void BlendRowsTo(const Sample* const* rows, const BandWeights& weights, size_t samples,
                 std::span<int16_t* const> out) {
  if (out.size() == 2) {
    BlendRowsOf<kBits, true>(rows, weights, samples, out[0], out[1]);
  } else {
    BlendRowsOf<kBits, false>(rows, weights, samples, out[0], nullptr);
  }
}

void BlendRows(const int16_t* const* rows, const BandWeights& weights, size_t samples,
               std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits>(rows, weights, samples, out);
}

// What BlendRows makes of the widened rows: their kFineBits are shifted out with the weights'.
void BlendByteRows(const uint8_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits - kFineBits>(rows, weights, samples, out);
}

void BlendWideRows(const uint16_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out) {
  BlendRowsTo<kWeightBits>(rows, weights, samples, out);
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

void BlendRows(const int16_t* const* rows, const BandWeights& weights, size_t samples,
               std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendRows)(rows, weights, samples, out);
}

void BlendByteRows(const uint8_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendByteRows)(rows, weights, samples, out);
}

void BlendWideRows(const uint16_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out) {
  HWY_DYNAMIC_DISPATCH(BlendWideRows)(rows, weights, samples, out);
}

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(WidenRow)(in, samples, out);
}

void NarrowRow(const int16_t* in, size_t samples, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(NarrowRow)(in, samples, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
