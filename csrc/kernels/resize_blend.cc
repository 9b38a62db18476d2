#include "kernels/resize_blend.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize_blend.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two 16-bit weights in each 32-bit lane, to meet two interleaved samples.
template <class D16>
hn::Vec<D16> WeightPair(D16 d16, const int16_t* weights) {
  const hn::RepartitionToWide<D16> d32;
  int32_t pair;
  std::memcpy(&pair, weights, sizeof(pair));
  return hn::BitCast(d16, hn::Set(d32, pair));
}

// Adds to each 32-bit lane the sum of its two products.
template <class V16, class V32>
V32 AddProducts(V16 samples, V16 weights, V32 sum) {
  const hn::DFromV<V32> d32;
  V32 odd = hn::Zero(d32);
  const V32 even = hn::ReorderWidenMulAccumulate(d32, samples, weights, sum, odd);
  return hn::RearrangeToOddPlusEven(even, odd);
}

template <int kBits, class V32>
V32 RoundBits(V32 sum) {
  const hn::DFromV<V32> d32;
  return hn::ShiftRight<kBits>(hn::Add(sum, hn::Set(d32, 1 << (kBits - 1))));
}

template <class V32>
V32 RoundWeighted(V32 sum) {
  return RoundBits<kWeightBits>(sum);
}

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
void BlendColumns1(const int16_t* in, const ResizeWeights& columns, int16_t* out) {
  const hn::RepartitionToWide<Samples8> d32;
  const hn::Rebind<int16_t, decltype(d32)> d16;
  const size_t last = columns.windows.size() - 1;
  for (size_t x = 0; x <= last; x += 4) {
    const auto lanes = [&](size_t i) {
      const ResizeWeights::Window& window = columns.windows[HWY_MIN(x + i, last)];
      return SumLanes(in + window.first, columns.weights.data() + window.offset, window.count);
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
// The sums of up to four channels of one window, four pixels at a time: two in each half.
template <size_t kChannels>
hn::Vec<hn::RepartitionToWide<Samples8>> SumWindow(const int16_t* pixels, const int16_t* weights,
                                                   size_t taps) {
  const Samples8 d8;
  const hn::CappedTag<int16_t, 16> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::Repartition<int64_t, decltype(d16)> d64;
  const hn::Repartition<uint8_t, decltype(d16)> bytes;
  HWY_ALIGN static constexpr uint8_t kWeightOrder[32] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2,
                                                         3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5,
                                                         6, 7, 4, 5, 6, 7, 4, 5, 6, 7};
  const auto weight_order = hn::BitCast(d16, hn::Load(bytes, kWeightOrder));
  auto sum = hn::Zero(d32);
  for (size_t i = 0; i < taps; i += 4) {
    const int16_t* const at = pixels + i * kChannels;
    const auto samples = hn::Combine(d16, hn::LoadU(d8, at + 2 * kChannels), hn::LoadU(d8, at));
    int64_t four;
    std::memcpy(&four, weights + i, sizeof(four));
    const auto weight = hn::TableLookupBytes(hn::BitCast(d16, hn::Set(d64, four)), weight_order);
    sum = AddProducts(PairUp<kChannels>(d16, samples), weight, sum);
  }
  const hn::Half<decltype(d32)> half;
  return hn::Add(hn::LowerHalf(half, sum), hn::UpperHalf(half, sum));
}
#else
// The sums of up to four channels of one window.
template <size_t kChannels>
hn::Vec<hn::RepartitionToWide<Samples8>> SumWindow(const int16_t* pixels, const int16_t* weights,
                                                   size_t taps) {
  const Samples8 d16;
  auto sum = hn::Zero(hn::RepartitionToWide<Samples8>());
  for (size_t i = 0; i < taps; i += 2) {
    const auto samples = PairUp<kChannels>(d16, hn::LoadU(d16, pixels + i * kChannels));
    sum = AddProducts(samples, WeightPair(d16, weights + i), sum);
  }
  return sum;
}
#endif

// Always four sums: those beyond kChannels are overwritten by the next pixel or lie in the padding.
template <size_t kChannels>
void BlendColumnsOf(const int16_t* in, const ResizeWeights& columns, int16_t* out) {
  const hn::Rebind<int16_t, hn::RepartitionToWide<Samples8>> d4;
  for (const ResizeWeights::Window& window : columns.windows) {
    const auto sum = SumWindow<kChannels>(in + size_t{window.first} * kChannels,
                                          columns.weights.data() + window.offset, window.count);
    hn::StoreU(hn::DemoteTo(d4, RoundWeighted(sum)), d4, out);
    out += kChannels;
  }
}

void BlendColumns(const int16_t* in, size_t channels, const ResizeWeights& columns, int16_t* out) {
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

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  const hn::ScalableTag<int16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  size_t x = 0;
  for (; x + hn::Lanes(d16) <= samples; x += hn::Lanes(d16)) {
    hn::StoreU(hn::ShiftLeft<kFineBits>(hn::PromoteTo(d16, hn::LoadU(d8, in + x))), d16, out + x);
  }
  for (; x < samples; ++x) out[x] = static_cast<int16_t>(in[x] << kFineBits);
}

// Puts the alpha of its pixel in every color sample and 255 in every alpha sample.
template <size_t kChannels, class D16>
hn::Vec<D16> AlphaOfEach(D16 d16, hn::Vec<D16> samples) {
  constexpr uint8_t a = 2 * (kChannels - 1);  // The first byte of a pixel's alpha.
  constexpr uint8_t b = kChannels == 2 ? 6 : a, c = kChannels == 2 ? 10 : 14;
  constexpr uint8_t d = kChannels == 2 ? 14 : c;
  HWY_ALIGN static constexpr uint8_t kOrder[16] = {a, a + 1, a, a + 1, b, b + 1, b, b + 1,
                                                   c, c + 1, c, c + 1, d, d + 1, d, d + 1};
  HWY_ALIGN static constexpr uint16_t kAlphas[8] = {0, kChannels == 2 ? 255 : 0, 0, 255,
                                                    0, kChannels == 2 ? 255 : 0, 0, 255};
  const hn::Repartition<uint8_t, D16> d8;
  const auto order = hn::BitCast(d16, hn::LoadDup128(d8, kOrder));
  const auto alphas = hn::LoadDup128(d16, kAlphas);
  const auto is_color = hn::Eq(alphas, hn::Zero(d16));
  return hn::IfThenElse(is_color, hn::TableLookupBytes(samples, order), alphas);
}

template <size_t kChannels>
void PremultiplyOf(const uint8_t* in, size_t pixels, int16_t* out) {
  const hn::ScalableTag<uint16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  const hn::RebindToSigned<decltype(d16)> signed16;
  const size_t samples = pixels * kChannels;
  size_t i = 0;
  for (; i + hn::Lanes(d16) <= samples; i += hn::Lanes(d16)) {
    const auto v = hn::PromoteTo(d16, hn::LoadU(d8, in + i));
    const auto product = hn::Mul(v, AlphaOfEach<kChannels>(d16, v));
    const auto sum = hn::Add(hn::Add(product, hn::ShiftRight<8>(product)), hn::Set(d16, 2));
    hn::StoreU(hn::BitCast(signed16, hn::ShiftRight<2>(sum)), signed16, out + i);
  }
  for (; i < samples; ++i) {
    const size_t channel = i % kChannels;
    const uint32_t alpha = channel == kChannels - 1 ? 255 : in[i - channel + kChannels - 1];
    const uint32_t product = in[i] * alpha;
    out[i] = static_cast<int16_t>((product + (product >> 8) + 2) >> 2);
  }
}

void PremultiplyRow(const uint8_t* in, size_t channels, size_t pixels, int16_t* out) {
  if (channels == 2) return PremultiplyOf<2>(in, pixels, out);
  PremultiplyOf<4>(in, pixels, out);
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
HWY_EXPORT(BlendColumns);
HWY_EXPORT(WidenRow);
HWY_EXPORT(PremultiplyRow);
HWY_EXPORT(NarrowRow);

void BlendRows(const int16_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
               int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendRows)(rows, weights, taps, samples, out);
}

void BlendByteRows(const uint8_t* const* rows, const int16_t* weights, size_t taps, size_t samples,
                   int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendByteRows)(rows, weights, taps, samples, out);
}

void BlendColumns(const int16_t* in, size_t channels, const ResizeWeights& columns, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(BlendColumns)(in, channels, columns, out);
}

void WidenRow(const uint8_t* in, size_t samples, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(WidenRow)(in, samples, out);
}

void PremultiplyRow(const uint8_t* in, size_t channels, size_t pixels, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(PremultiplyRow)(in, channels, pixels, out);
}

void NarrowRow(const int16_t* in, size_t samples, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(NarrowRow)(in, samples, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
