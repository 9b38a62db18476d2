#include "kernels/premultiply.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/premultiply.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Puts the alpha of its pixel in every color sample and `full` in every alpha sample.
template <size_t kChannels, class D16>
hn::Vec<D16> AlphaOfEach(D16 d16, hn::Vec<D16> samples, hn::TFromD<D16> full) {
  constexpr uint8_t a = 2 * (kChannels - 1);  // The first byte of a pixel's alpha.
  constexpr uint8_t b = kChannels == 2 ? 6 : a, c = kChannels == 2 ? 10 : 14;
  constexpr uint8_t d = kChannels == 2 ? 14 : c;
  HWY_ALIGN static constexpr uint8_t kOrder[16] = {a, a + 1, a, a + 1, b, b + 1, b, b + 1,
                                                   c, c + 1, c, c + 1, d, d + 1, d, d + 1};
  constexpr uint16_t m = 0xffff, e = kChannels == 2 ? m : 0;
  HWY_ALIGN static constexpr uint16_t kIsAlpha[8] = {0, e, 0, m, 0, e, 0, m};
  const hn::Repartition<uint8_t, D16> d8;
  const auto order = hn::BitCast(d16, hn::LoadDup128(d8, kOrder));
  const hn::Repartition<uint16_t, D16> u16;
  const auto is_alpha = hn::MaskFromVec(hn::BitCast(d16, hn::LoadDup128(u16, kIsAlpha)));
  return hn::IfThenElse(is_alpha, hn::Set(d16, full), hn::TableLookupBytes(samples, order));
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
    const auto product = hn::Mul(v, AlphaOfEach<kChannels>(d16, v, 255));
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

// value * 255 / alpha, rounded, in 32-bit lanes. Numerators are below 2^24, so that quotients of
// floats below 256 lie on the right side of every integer.
template <class D32>
hn::Vec<D32> Divided(D32 d32, hn::Vec<hn::Rebind<int16_t, D32>> value,
                     hn::Vec<hn::Rebind<int16_t, D32>> alpha) {
  const hn::RebindToFloat<D32> f32;
  const auto wide_alpha = hn::PromoteTo(d32, alpha);
  const auto numerator =
      hn::Add(hn::Mul(hn::PromoteTo(d32, value), hn::Set(d32, 255)), hn::ShiftRight<1>(wide_alpha));
  const auto divisor = hn::Max(wide_alpha, hn::Set(d32, 1));
  return hn::ConvertTo(d32, hn::Div(hn::ConvertTo(f32, numerator), hn::ConvertTo(f32, divisor)));
}

template <size_t kChannels>
void UnpremultiplyOf(const int16_t* in, size_t pixels, uint8_t* out) {
  const hn::ScalableTag<int16_t> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::Half<decltype(d16)> half;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  constexpr int16_t kFull = 255 << kFineBits;
  const auto divide = [&](const int16_t* samples) {
    const auto v = hn::Max(hn::LoadU(d16, samples), hn::Zero(d16));
    const auto alpha = hn::Min(AlphaOfEach<kChannels>(d16, v, kFull), hn::Set(d16, kFull));
    const auto low = Divided(d32, hn::LowerHalf(half, v), hn::LowerHalf(half, alpha));
    const auto high = Divided(d32, hn::UpperHalf(half, v), hn::UpperHalf(half, alpha));
    const auto quotients = hn::Combine(d16, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
    return hn::DemoteTo(d8, hn::IfThenZeroElse(hn::Eq(alpha, hn::Zero(d16)), quotients));
  };
  const size_t samples = pixels * kChannels, lanes = hn::Lanes(d16);
  size_t i = 0;
  for (; i + lanes <= samples; i += lanes) hn::StoreU(divide(in + i), d8, out + i);
  if (i == samples) return;
  HWY_ALIGN uint8_t rest[HWY_MAX_BYTES];
  hn::StoreU(divide(in + i), d8, rest);
  std::memcpy(out + i, rest, samples - i);
}

void UnpremultiplyRow(const int16_t* in, size_t channels, size_t pixels, uint8_t* out) {
  if (channels == 2) return UnpremultiplyOf<2>(in, pixels, out);
  UnpremultiplyOf<4>(in, pixels, out);
}

// color * alpha / 65535, rounded: (t + (t >> 16)) >> 16 for t = color * alpha + 32768, by halves.
template <class D16>
hn::Vec<D16> WideProduct(D16 d16, hn::Vec<D16> color, hn::Vec<D16> alpha) {
  const auto low = hn::Mul(color, alpha);
  const auto high = hn::Add(hn::MulHigh(color, alpha), hn::ShiftRight<15>(low));
  // The mean of the complements of both halves of t has its upper bit where their sum carries not.
  const auto low_complement = hn::Xor(low, hn::Set(d16, 0x7fff));
  const auto mean = hn::AverageRound(hn::Not(high), low_complement);
  return hn::Sub(hn::Add(high, hn::Set(d16, 1)), hn::ShiftRight<15>(mean));
}

// value * 65535 / alpha, rounded, for values up to alpha. Floats give the quotient but for one,
// which the remainder tells: it is small, so that it may wrap around on the way.
template <class D32>
hn::Vec<hn::Rebind<uint16_t, D32>> WideQuotient(D32 d32, hn::Vec<hn::Rebind<uint16_t, D32>> value,
                                                hn::Vec<hn::Rebind<uint16_t, D32>> alpha) {
  const hn::Rebind<uint16_t, D32> d16;
  const hn::RebindToFloat<D32> f32;
  const auto v = hn::PromoteTo(d32, value);
  const auto divisor = hn::Max(hn::PromoteTo(d32, alpha), hn::Set(d32, 1));
  const auto half = hn::ShiftRight<1>(divisor);
  const auto numerator = hn::Add(hn::Sub(hn::ShiftLeft<16>(v), v), half);
  const auto product = hn::Mul(hn::ConvertTo(f32, v), hn::Set(f32, 65535.0f));
  const auto about =
      hn::Div(hn::Add(product, hn::ConvertTo(f32, half)), hn::ConvertTo(f32, divisor));
  const auto quotient = hn::ConvertTo(d32, about);
  const auto rest = hn::Sub(numerator, hn::Mul(quotient, divisor));
  // Masks are -1.
  const auto more = hn::VecFromMask(d32, hn::Gt(rest, hn::Sub(divisor, hn::Set(d32, 1))));
  const auto less = hn::VecFromMask(d32, hn::Lt(rest, hn::Zero(d32)));
  return hn::DemoteTo(d16, hn::Add(hn::Sub(quotient, more), less));
}

// Applies `map` (of values and alpha) to the pixels of a row; the samples of one of both are less
// 32768.
template <size_t kChannels, class Map>
void MapWidePixels(const uint16_t* in, size_t pixels, uint16_t in_offset, const Map& map,
                   uint16_t out_offset, uint16_t* out) {
  const hn::ScalableTag<uint16_t> d16;
  const auto mapped = [&](const uint16_t* samples) {
    const auto v = hn::Xor(hn::LoadU(d16, samples), hn::Set(d16, in_offset));
    return hn::Xor(map(v, AlphaOfEach<kChannels>(d16, v, 65535)), hn::Set(d16, out_offset));
  };
  const size_t samples = pixels * kChannels, lanes = hn::Lanes(d16);
  size_t i = 0;
  for (; i + lanes <= samples; i += lanes) hn::StoreU(mapped(in + i), d16, out + i);
  if (i == samples) return;
  HWY_ALIGN uint16_t rest[HWY_MAX_BYTES / sizeof(uint16_t)] = {};
  std::memcpy(rest, in + i, (samples - i) * sizeof(uint16_t));
  hn::StoreU(mapped(rest), d16, rest);
  std::memcpy(out + i, rest, (samples - i) * sizeof(uint16_t));
}

template <size_t kChannels>
void PremultiplyWideOf(const uint16_t* in, size_t pixels, int16_t* out) {
  using D16 = hn::ScalableTag<uint16_t>;
  const auto multiply = [](hn::Vec<D16> color, hn::Vec<D16> alpha) {
    return WideProduct(D16(), color, alpha);
  };
  MapWidePixels<kChannels>(in, pixels, 0, multiply, 0x8000, reinterpret_cast<uint16_t*>(out));
}

void PremultiplyWideRow(const uint16_t* in, size_t channels, size_t pixels, int16_t* out) {
  if (channels == 2) return PremultiplyWideOf<2>(in, pixels, out);
  PremultiplyWideOf<4>(in, pixels, out);
}

template <size_t kChannels>
void UnpremultiplyWideOf(const int16_t* in, size_t pixels, uint16_t* out) {
  using D16 = hn::ScalableTag<uint16_t>;
  const auto divide = [](hn::Vec<D16> value, hn::Vec<D16> alpha) {
    const hn::RepartitionToWide<hn::RebindToSigned<D16>> d32;
    const hn::Half<D16> half;
    const auto v = hn::Min(value, alpha);
    return hn::Combine(D16(), WideQuotient(d32, hn::UpperHalf(half, v), hn::UpperHalf(half, alpha)),
                       WideQuotient(d32, hn::LowerHalf(half, v), hn::LowerHalf(half, alpha)));
  };
  MapWidePixels<kChannels>(reinterpret_cast<const uint16_t*>(in), pixels, 0x8000, divide, 0, out);
}

void UnpremultiplyWideRow(const int16_t* in, size_t channels, size_t pixels, uint16_t* out) {
  if (channels == 2) return UnpremultiplyWideOf<2>(in, pixels, out);
  UnpremultiplyWideOf<4>(in, pixels, out);
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(PremultiplyRow);
HWY_EXPORT(UnpremultiplyRow);
HWY_EXPORT(PremultiplyWideRow);
HWY_EXPORT(UnpremultiplyWideRow);

void PremultiplyRow(const uint8_t* in, size_t channels, size_t pixels, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(PremultiplyRow)(in, channels, pixels, out);
}

void UnpremultiplyRow(const int16_t* in, size_t channels, size_t pixels, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(UnpremultiplyRow)(in, channels, pixels, out);
}

void PremultiplyWideRow(const uint16_t* in, size_t channels, size_t pixels, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(PremultiplyWideRow)(in, channels, pixels, out);
}

void UnpremultiplyWideRow(const int16_t* in, size_t channels, size_t pixels, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(UnpremultiplyWideRow)(in, channels, pixels, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
