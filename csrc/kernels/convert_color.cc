#include <array>
#include <cstring>

#include "kernels/convert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convert_color.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/convert_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

// The weights of JFIF in 16-bit fixed point. Where one does not fit in 16 bits, a whole (or half)
// sample is taken out of the weighted sum.
constexpr int32_t kHalf = 1 << 15;

struct Rgb16 {
  hn::Vec<I16> r, g, b;
};

Rgb16 FromYcbcr(hn::Vec<I16> y, hn::Vec<I16> cb, hn::Vec<I16> cr) {
  const I16 d;
  const auto u = hn::Sub(cb, hn::Set(d, 128));
  const auto v = hn::Sub(cr, hn::Set(d, 128));
  // 91881 v = 65536 v + 26345 v; 46802 v = 65536 v - 18734 v; 116130 u = 131072 u - 14942 u.
  const auto zero = hn::Zero(d);
  Rgb16 rgb;
  rgb.r = hn::Add(hn::Add(y, v), WeightedSum(u, v, zero, {0, 26345, 0, kHalf}));
  rgb.g = hn::Add(hn::Sub(y, v), WeightedSum(u, v, zero, {-22554, 18734, 0, kHalf}));
  rgb.b = hn::Add(hn::Add(y, hn::Add(u, u)), WeightedSum(u, v, zero, {-14942, 0, 0, kHalf}));
  return rgb;
}

void YcbcrToRgbBlock(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, uint8_t* rgb) {
  const U8 d;
  hn::Vec<I16> low[3], high[3];
  Split(hn::LoadU(d, y), &low[0], &high[0]);
  Split(hn::LoadU(d, cb), &low[1], &high[1]);
  Split(hn::LoadU(d, cr), &low[2], &high[2]);
  const Rgb16 first = FromYcbcr(low[0], low[1], low[2]);
  const Rgb16 second = FromYcbcr(high[0], high[1], high[2]);
  hn::StoreInterleaved3(Join(first.r, second.r), Join(first.g, second.g), Join(first.b, second.b),
                        d, rgb);
}

void YcbcrToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, size_t pixels,
                uint8_t* rgb) {
  const size_t lanes = hn::Lanes(U8());
  size_t i = 0;
  for (; i + lanes <= pixels; i += lanes) YcbcrToRgbBlock(y + i, cb + i, cr + i, rgb + 3 * i);
  if (i == pixels) return;
  uint8_t from[3][HWY_MAX_BYTES] = {};
  uint8_t to[3 * HWY_MAX_BYTES];
  std::memcpy(from[0], y + i, pixels - i);
  std::memcpy(from[1], cb + i, pixels - i);
  std::memcpy(from[2], cr + i, pixels - i);
  YcbcrToRgbBlock(from[0], from[1], from[2], to);
  std::memcpy(rgb + 3 * i, to, 3 * (pixels - i));
}

// 128 + ((32768 x + weighted a and b + kHalf - 1) >> 16), where 32768 x is 2 * 16384 x.
hn::Vec<I16> Chroma(hn::Vec<I16> x, hn::Vec<I16> a, hn::Vec<I16> b, int16_t weight_a,
                    int16_t weight_b) {
  const I16 d;
  const auto sum = WeightedSum(a, b, hn::Add(x, x), {weight_a, weight_b, 16384, kHalf - 1});
  return hn::Add(sum, hn::Set(d, 128));
}

void RgbToYcbcrBlock(const uint8_t* rgb, uint8_t* y, uint8_t* cb, uint8_t* cr) {
  const U8 d;
  hn::Vec<U8> v[3];
  LoadPixels<3>(d, rgb, v);
  hn::Vec<I16> r[2], g[2], b[2];
  Split(v[0], &r[0], &r[1]);
  Split(v[1], &g[0], &g[1]);
  Split(v[2], &b[0], &b[1]);
  hn::StoreU(Join(Luma<U8>::Of16(r[0], g[0], b[0]), Luma<U8>::Of16(r[1], g[1], b[1])), d, y);
  hn::StoreU(
      Join(Chroma(b[0], r[0], g[0], -11059, -21709), Chroma(b[1], r[1], g[1], -11059, -21709)), d,
      cb);
  hn::StoreU(Join(Chroma(r[0], g[0], b[0], -27439, -5329), Chroma(r[1], g[1], b[1], -27439, -5329)),
             d, cr);
}

void RgbToYcbcr(const uint8_t* rgb, size_t pixels, uint8_t* y, uint8_t* cb, uint8_t* cr) {
  const size_t lanes = hn::Lanes(U8());
  size_t i = 0;
  for (; i + lanes <= pixels; i += lanes) RgbToYcbcrBlock(rgb + 3 * i, y + i, cb + i, cr + i);
  if (i == pixels) return;
  uint8_t from[3 * HWY_MAX_BYTES] = {};
  uint8_t to[3][HWY_MAX_BYTES];
  std::memcpy(from, rgb + 3 * i, 3 * (pixels - i));
  RgbToYcbcrBlock(from, to[0], to[1], to[2]);
  std::memcpy(y + i, to[0], pixels - i);
  std::memcpy(cb + i, to[1], pixels - i);
  std::memcpy(cr + i, to[2], pixels - i);
}

template <size_t kChannels>
struct GrayBlock {
  static constexpr size_t kIn = kChannels;
  static constexpr size_t kOut = 1;
  void operator()(const uint8_t* in, uint8_t* out) const {
    hn::Vec<U8> v[4];
    LoadPixels<kIn>(U8(), in, v);
    hn::StoreU(Luma<U8>::Of(v), U8(), out);
  }
};

void RgbToGray(const uint8_t* rgb, size_t channels, size_t pixels, uint8_t* gray) {
  if (channels == 4) return MapPixels(GrayBlock<4>(), rgb, pixels, gray);
  MapPixels(GrayBlock<3>(), rgb, pixels, gray);
}

// center + ((full - center) * (65536 - less) + 1024 threshold >> 16) + shift; thresholds in turn.
struct RangeBlock {
  static constexpr size_t kIn = 1;
  static constexpr size_t kOut = 1;
  int16_t center;
  int16_t less;
  int16_t shift;
  std::array<int16_t, 8> thresholds;

  hn::Vec<I16> Scaled(hn::Vec<I16> full) const {
    const I16 d;
    const auto from_center = hn::Sub(full, hn::Set(d, center));
    const auto change = WeightedSum(from_center, hn::LoadDup128(d, thresholds.data()), hn::Zero(d),
                                    {static_cast<int16_t>(-less), 1024, 0, 0});
    return hn::Add(hn::Add(full, change), hn::Set(d, shift));
  }
  void operator()(const uint8_t* in, uint8_t* out) const {
    hn::Vec<I16> low, high;
    Split(hn::LoadU(U8(), in), &low, &high);
    hn::StoreU(Join(Scaled(low), Scaled(high)), U8(), out);
  }
};

void LumaToLimited(const uint8_t* full, size_t samples, size_t row, uint8_t* limited) {
  // 16 + b, where b are the numbers from 1 to 31 in the order of Bayer.
  constexpr std::array<int16_t, 8> kThresholds[] = {{17, 33, 21, 37, 17, 33, 21, 37},
                                                    {41, 25, 45, 29, 41, 25, 45, 29},
                                                    {23, 39, 19, 35, 23, 39, 19, 35},
                                                    {47, 31, 43, 27, 47, 31, 43, 27}};
  MapPixels(RangeBlock{0, 65536 - 56283, 16, kThresholds[row % 4]}, full, samples, limited);
}

void ChromaToLimited(const uint8_t* full, size_t samples, uint8_t* limited) {
  constexpr std::array<int16_t, 8> kNearest = {32, 32, 32, 32, 32, 32, 32, 32};
  MapPixels(RangeBlock{128, 65536 - 57569, 0, kNearest}, full, samples, limited);
}

struct CmykBlock {
  static constexpr size_t kIn = 4;
  static constexpr size_t kOut = 3;

  static hn::Vec<hn::Half<U8>> Light(hn::Vec<hn::Half<U8>> a, hn::Vec<hn::Half<U8>> b) {
    const hn::Rebind<uint16_t, hn::Half<U8>> d16;
    const auto product = hn::Mul(hn::PromoteTo(d16, a), hn::PromoteTo(d16, b));
    const auto quotient = DivideBy255(d16, hn::Add(product, hn::Set(d16, 127)));
    return hn::DemoteTo(hn::Half<U8>(), hn::BitCast(I16(), quotient));
  }
  void operator()(const uint8_t* in, uint8_t* out) const {
    const U8 d;
    const hn::Half<U8> half;
    hn::Vec<U8> v[4];
    LoadPixels<4>(d, in, v);
    const auto white = hn::Not(v[3]);
    for (size_t c = 0; c < 3; ++c) {
      const auto light = hn::Not(v[c]);
      v[c] = hn::Combine(d, Light(hn::UpperHalf(half, light), hn::UpperHalf(half, white)),
                         Light(hn::LowerHalf(half, light), hn::LowerHalf(half, white)));
    }
    StorePixels<3>(d, v, out);
  }
};

void CmykToRgb(const uint8_t* cmyk, size_t pixels, uint8_t* rgb) {
  MapPixels(CmykBlock(), cmyk, pixels, rgb);
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(YcbcrToRgb);
HWY_EXPORT(RgbToYcbcr);
HWY_EXPORT(RgbToGray);
HWY_EXPORT(LumaToLimited);
HWY_EXPORT(ChromaToLimited);
HWY_EXPORT(CmykToRgb);

void YcbcrToRgbRow(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, size_t pixels,
                   uint8_t* rgb) {
  HWY_DYNAMIC_DISPATCH(YcbcrToRgb)(y, cb, cr, pixels, rgb);
}

void RgbToYcbcrRow(const uint8_t* rgb, size_t pixels, uint8_t* y, uint8_t* cb, uint8_t* cr) {
  HWY_DYNAMIC_DISPATCH(RgbToYcbcr)(rgb, pixels, y, cb, cr);
}

void RgbToGrayRow(const uint8_t* rgb, uint8_t channels, size_t pixels, uint8_t* gray) {
  HWY_DYNAMIC_DISPATCH(RgbToGray)(rgb, channels, pixels, gray);
}

void LumaToLimitedRange(const uint8_t* full, size_t samples, size_t row, uint8_t* limited) {
  HWY_DYNAMIC_DISPATCH(LumaToLimited)(full, samples, row, limited);
}

void ChromaToLimitedRange(const uint8_t* full, size_t samples, uint8_t* limited) {
  HWY_DYNAMIC_DISPATCH(ChromaToLimited)(full, samples, limited);
}

void CmykToRgbRow(const uint8_t* cmyk, size_t pixels, uint8_t* rgb) {
  HWY_DYNAMIC_DISPATCH(CmykToRgb)(cmyk, pixels, rgb);
}

}  // namespace pixpress
#endif  // HWY_ONCE
