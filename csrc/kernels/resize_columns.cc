#include "kernels/resize_columns.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize_columns.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/resize_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Samples8 = hn::CappedTag<int16_t, 8>;

// The products of one window of one channel, in lanes that are still to be added up.
hn::Vec<hn::RepartitionToWide<Samples8>> SumLanes(const int16_t* in, const int16_t* weights,
                                                  size_t taps) {
  const Samples8 d16;
  const hn::RepartitionToWide<Samples8> d32;
  auto sum = hn::Zero(d32);
  for (size_t i = 0; i < taps; i += 8) {
    sum = AddProducts(hn::LoadU(d16, in + i), hn::LoadU(d16, weights + i), sum);
  }
  return sum;
}

// Four windows at a time, so that one transposition adds up the lanes of all. Windows beyond the
// last repeat it.
void BlendColumns1(const int16_t* in, const UniformWeights& columns, int16_t* out) {
  const hn::RepartitionToWide<Samples8> d32;
  const hn::Rebind<int16_t, decltype(d32)> d16;
  const size_t last = columns.firsts.size() - 1;
  for (size_t x = 0; x <= last; x += 4) {
    const auto lanes = [&](size_t i) {
      const size_t window = HWY_MIN(x + i, last);
      return SumLanes(in + columns.firsts[window], columns.WeightsOf(window), columns.taps);
    };
    const auto a = lanes(0), b = lanes(1), c = lanes(2), d = lanes(3);
    const auto ab = hn::Add(hn::InterleaveLower(d32, a, b), hn::InterleaveUpper(d32, a, b));
    const auto cd = hn::Add(hn::InterleaveLower(d32, c, d), hn::InterleaveUpper(d32, c, d));
    const auto sums = hn::Add(hn::ConcatLowerLower(d32, cd, ab), hn::ConcatUpperUpper(d32, cd, ab));
    hn::StoreU(hn::DemoteTo(d16, RoundWeighted(sums)), d16, out + x);
  }
}

// Byte order that puts the samples of two pixels side by side, channel by channel.
template <size_t kChannels, class D16>
hn::Vec<D16> PairUp(D16 d16, hn::Vec<D16> two_pixels) {
  constexpr uint8_t p = 2 * kChannels;  // Bytes of a pixel; channels beyond repeat others.
  constexpr uint8_t c2 = kChannels > 2 ? 4 : 0;
  constexpr uint8_t c3 = kChannels > 3 ? 6 : 0;
  HWY_ALIGN static constexpr uint8_t kOrder[16] = {
      0,  1,      p,      p + 1,      2,  3,      p + 2,  p + 3,
      c2, c2 + 1, p + c2, p + c2 + 1, c3, c3 + 1, p + c3, p + c3 + 1};
  const hn::Repartition<uint8_t, D16> d8;
  return hn::TableLookupBytes(two_pixels, hn::BitCast(d16, hn::LoadDup128(d8, kOrder)));
}

#if HWY_MAX_BYTES >= 32
// Adds four pixels of one window, two in each half.
template <size_t kChannels>
hn::Vec<hn::CappedTag<int32_t, 8>> AddFour(const int16_t* pixels, const int16_t* weights,
                                           hn::Vec<hn::CappedTag<int32_t, 8>> sum) {
  const Samples8 d8;
  const hn::CappedTag<int16_t, 16> d16;
  const hn::Repartition<int64_t, decltype(d16)> d64;
  const hn::Repartition<uint8_t, decltype(d16)> bytes;
  HWY_ALIGN static constexpr uint8_t kWeightOrder[32] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2,
                                                         3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5,
                                                         6, 7, 4, 5, 6, 7, 4, 5, 6, 7};
  const auto weight_order = hn::BitCast(d16, hn::Load(bytes, kWeightOrder));
  const auto samples =
      hn::Combine(d16, hn::LoadU(d8, pixels + 2 * kChannels), hn::LoadU(d8, pixels));
  int64_t four;
  std::memcpy(&four, weights, sizeof(four));
  const auto weight = hn::TableLookupBytes(hn::BitCast(d16, hn::Set(d64, four)), weight_order);
  return AddProducts(PairUp<kChannels>(d16, samples), weight, sum);
}
#endif

#if HWY_MAX_BYTES == 64
// Adds eight pixels of one window, two in each quarter.
template <size_t kChannels>
hn::Vec<hn::FixedTag<int32_t, 16>> AddEight(const int16_t* pixels, const int16_t* weights,
                                            hn::Vec<hn::FixedTag<int32_t, 16>> sum) {
  const hn::FixedTag<int16_t, 32> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::Repartition<uint8_t, decltype(d16)> bytes;
  constexpr int32_t n = kChannels;  // As many 32-bit lanes hold two pixels.
  HWY_ALIGN static constexpr int32_t kPixelOrder[16] = {
      0,     1,         2,         3,         n,     n + 1,     n + 2,     n + 3,
      2 * n, 2 * n + 1, 2 * n + 2, 2 * n + 3, 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 3};
  HWY_ALIGN static constexpr uint8_t kWeightOrder[64] = {
      0, 1, 2,  3,  0,  1,  2,  3,  0,  1,  2,  3,  0,  1,  2,  3,  4,  5,  6,  7, 4,  5,
      6, 7, 4,  5,  6,  7,  4,  5,  6,  7,  8,  9,  10, 11, 8,  9,  10, 11, 8,  9, 10, 11,
      8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15};
  auto samples = hn::LoadU(d16, pixels);
  if constexpr (kChannels != 4) {
    samples = hn::BitCast(d16, hn::TableLookupLanes(hn::BitCast(d32, samples),
                                                    hn::SetTableIndices(d32, kPixelOrder)));
  }
  const auto weight_order = hn::BitCast(d16, hn::Load(bytes, kWeightOrder));
  const auto weight = hn::TableLookupBytes(hn::LoadDup128(d16, weights), weight_order);
  return AddProducts(PairUp<kChannels>(d16, samples), weight, sum);
}
#endif

// The sums of up to four channels of one window.
template <size_t kChannels>
hn::Vec<hn::RepartitionToWide<Samples8>> SumWindow(const int16_t* pixels, const int16_t* weights,
                                                   size_t taps) {
#if HWY_MAX_BYTES >= 32
  const hn::CappedTag<int32_t, 8> d32;
  auto sum = hn::Zero(d32);
  size_t i = 0;
#if HWY_MAX_BYTES == 64
  const hn::FixedTag<int32_t, 16> wide;
  auto wide_sum = hn::Zero(wide);
  for (; i + 8 <= taps; i += 8) {
    wide_sum = AddEight<kChannels>(pixels + i * kChannels, weights + i, wide_sum);
  }
  sum = hn::Add(hn::LowerHalf(d32, wide_sum), hn::UpperHalf(d32, wide_sum));
#endif
  for (; i < taps; i += 4) sum = AddFour<kChannels>(pixels + i * kChannels, weights + i, sum);
  const hn::Half<decltype(d32)> half;
  return hn::Add(hn::LowerHalf(half, sum), hn::UpperHalf(half, sum));
#else
  const Samples8 d16;
  auto sum = hn::Zero(hn::RepartitionToWide<Samples8>());
  for (size_t i = 0; i < taps; i += 2) {
    const auto samples = PairUp<kChannels>(d16, hn::LoadU(d16, pixels + i * kChannels));
    sum = AddProducts(samples, WeightPair(d16, weights + i), sum);
  }
  return sum;
#endif
}

// Always four sums: those beyond kChannels are overwritten by the next pixel or lie in the padding.
template <size_t kChannels>
void BlendColumnsOf(const int16_t* in, const UniformWeights& columns, int16_t* out) {
  const hn::Rebind<int16_t, hn::RepartitionToWide<Samples8>> d4;
  const int16_t* weights = columns.weights.data();
  const size_t taps = columns.taps;  // Kept in a register: stores of samples may alias it.
  for (const uint32_t first : columns.firsts) {
    const auto sum = SumWindow<kChannels>(in + size_t{first} * kChannels, weights, taps);
    weights += taps;
    hn::StoreU(hn::DemoteTo(d4, RoundWeighted(sum)), d4, out);
    out += kChannels;
  }
}

void BlendColumns(const int16_t* in, size_t channels, const UniformWeights& columns, int16_t* out) {
  switch (channels) {
    case 1:
      return BlendColumns1(in, columns, out);
    case 2:
      return BlendColumnsOf<2>(in, columns, out);
    case 3:
      return BlendColumnsOf<3>(in, columns, out);
    default:
      return BlendColumnsOf<4>(in, columns, out);
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(BlendColumns);

void BlendColumns(const int16_t* in, size_t channels, const UniformWeights& columns, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendColumns)(in, channels, columns, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
