#include "kernels/convert.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convert.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/convert_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

// Blend `color` with the background by `alpha`: exact rounding of x / most, where x + 1 < most^2.
template <class D>
struct Blend;

template <>
struct Blend<U8> {
  static hn::Vec<U8> Over(hn::Vec<U8> color, hn::Vec<U8> alpha, hn::Vec<U8> background) {
    const U8 d;
    const hn::Half<U8> half;
    const auto low = Half(hn::LowerHalf(half, color), hn::LowerHalf(half, alpha),
                          hn::LowerHalf(half, background));
    const auto high = Half(hn::UpperHalf(half, color), hn::UpperHalf(half, alpha),
                           hn::UpperHalf(half, background));
    return hn::Combine(d, high, low);
  }
  static hn::Vec<hn::Half<U8>> Half(hn::Vec<hn::Half<U8>> color, hn::Vec<hn::Half<U8>> alpha,
                                    hn::Vec<hn::Half<U8>> background) {
    const hn::Half<U8> d;
    const hn::Rebind<uint16_t, hn::Half<U8>> d16;
    const auto most = hn::Set(d16, 255);
    const auto a = hn::PromoteTo(d16, alpha);
    const auto front = hn::Mul(hn::PromoteTo(d16, color), a);
    const auto back = hn::Mul(hn::PromoteTo(d16, background), hn::Sub(most, a));
    const auto x = hn::Add(hn::Add(front, back), hn::Set(d16, 127));
    const auto quotient = DivideBy255(d16, x);
    return hn::DemoteTo(d, hn::BitCast(hn::Rebind<int16_t, decltype(d16)>(), quotient));
  }
};

template <>
struct Blend<U16> {
  static hn::Vec<U16> Over(hn::Vec<U16> color, hn::Vec<U16> alpha, hn::Vec<U16> background) {
    const U16 d;
    const hn::Half<U16> half;
    const auto low = Half(hn::LowerHalf(half, color), hn::LowerHalf(half, alpha),
                          hn::LowerHalf(half, background));
    const auto high = Half(hn::UpperHalf(half, color), hn::UpperHalf(half, alpha),
                           hn::UpperHalf(half, background));
    return hn::Combine(d, high, low);
  }
  static hn::Vec<hn::Half<U16>> Half(hn::Vec<hn::Half<U16>> color, hn::Vec<hn::Half<U16>> alpha,
                                     hn::Vec<hn::Half<U16>> background) {
    const hn::Half<U16> d;
    const hn::Rebind<uint32_t, hn::Half<U16>> d32;
    const auto most = hn::Set(d32, 65535);
    const auto a = hn::PromoteTo(d32, alpha);
    const auto front = hn::Mul(hn::PromoteTo(d32, color), a);
    const auto back = hn::Mul(hn::PromoteTo(d32, background), hn::Sub(most, a));
    const auto x = hn::Add(hn::Add(front, back), hn::Set(d32, 32767));
    const auto quotient =
        hn::ShiftRight<16>(hn::Add(hn::Add(x, hn::Set(d32, 1)), hn::ShiftRight<16>(x)));
    return hn::DemoteTo(d, hn::BitCast(hn::Rebind<int32_t, decltype(d32)>(), quotient));
  }
};

template <class D, size_t kColors>
struct FlattenBlock {
  using T = hn::TFromD<D>;
  static constexpr size_t kIn = kColors + 1;
  static constexpr size_t kOut = kColors;
  hn::Vec<D> background[3];

  void operator()(const T* in, T* out) const {
    hn::Vec<D> v[4];
    LoadPixels<kIn>(D(), in, v);
    for (size_t c = 0; c < kColors; ++c) v[c] = Blend<D>::Over(v[c], v[kColors], background[c]);
    StorePixels<kOut>(D(), v, out);
  }
};

template <typename T>
void FlattenTyped(const T* in, size_t channels, const T* background, size_t pixels, T* out) {
  using D = hn::ScalableTag<T>;
  const D d;
  if (channels == 2) {
    const auto gray = hn::Set(d, background[0]);
    return MapPixels(FlattenBlock<D, 1>{{gray, gray, gray}}, in, pixels, out);
  }
  MapPixels(FlattenBlock<D, 3>{{hn::Set(d, background[0]), hn::Set(d, background[1]),
                                hn::Set(d, background[2])}},
            in, pixels, out);
}

void Flatten8(const uint8_t* in, size_t channels, const uint8_t* background, size_t pixels,
              uint8_t* out) {
  FlattenTyped(in, channels, background, pixels, out);
}

void Flatten16(const uint16_t* in, size_t channels, const uint16_t* background, size_t pixels,
               uint16_t* out) {
  FlattenTyped(in, channels, background, pixels, out);
}

template <class D, bool kInGray, bool kInAlpha, bool kOutGray, bool kOutAlpha>
struct ChannelsBlock {
  using T = hn::TFromD<D>;
  static constexpr size_t kIn = (kInGray ? 1 : 3) + (kInAlpha ? 1 : 0);
  static constexpr size_t kOut = (kOutGray ? 1 : 3) + (kOutAlpha ? 1 : 0);

  void operator()(const T* in, T* out) const {
    const D d;
    hn::Vec<D> v[4];
    LoadPixels<kIn>(d, in, v);
    auto alpha = hn::Set(d, static_cast<T>(~T{0}));
    if (kInAlpha) alpha = v[kIn - 1];
    if (kInGray && !kOutGray) v[1] = v[2] = v[0];
    if (!kInGray && kOutGray) v[0] = Luma<D>::Of(v);
    if (kOutAlpha) v[kOut - 1] = alpha;
    StorePixels<kOut>(d, v, out);
  }
};

template <typename T, bool kInGray, bool kInAlpha>
void ConvertFrom(const T* in, bool out_gray, bool out_alpha, size_t pixels, T* out) {
  using D = hn::ScalableTag<T>;
  if (out_gray && out_alpha) {
    MapPixels(ChannelsBlock<D, kInGray, kInAlpha, true, true>(), in, pixels, out);
  } else if (out_gray) {
    MapPixels(ChannelsBlock<D, kInGray, kInAlpha, true, false>(), in, pixels, out);
  } else if (out_alpha) {
    MapPixels(ChannelsBlock<D, kInGray, kInAlpha, false, true>(), in, pixels, out);
  } else {
    MapPixels(ChannelsBlock<D, kInGray, kInAlpha, false, false>(), in, pixels, out);
  }
}

template <typename T>
void ConvertTyped(const T* in, bool in_gray, bool in_alpha, bool out_gray, bool out_alpha,
                  size_t pixels, T* out) {
  if (in_gray && in_alpha) return ConvertFrom<T, true, true>(in, out_gray, out_alpha, pixels, out);
  if (in_gray) return ConvertFrom<T, true, false>(in, out_gray, out_alpha, pixels, out);
  if (in_alpha) return ConvertFrom<T, false, true>(in, out_gray, out_alpha, pixels, out);
  ConvertFrom<T, false, false>(in, out_gray, out_alpha, pixels, out);
}

void Convert8(const uint8_t* in, bool in_gray, bool in_alpha, bool out_gray, bool out_alpha,
              size_t pixels, uint8_t* out) {
  ConvertTyped(in, in_gray, in_alpha, out_gray, out_alpha, pixels, out);
}

void Convert16(const uint16_t* in, bool in_gray, bool in_alpha, bool out_gray, bool out_alpha,
               size_t pixels, uint16_t* out) {
  ConvertTyped(in, in_gray, in_alpha, out_gray, out_alpha, pixels, out);
}

void Widen8To16(const uint8_t* in, size_t samples, uint16_t* out) {
  const U16 d16;
  const hn::Rebind<uint8_t, U16> d8;
  size_t i = 0;
  for (; i + hn::Lanes(d16) <= samples; i += hn::Lanes(d16)) {
    const auto x = hn::PromoteTo(d16, hn::LoadU(d8, in + i));
    hn::StoreU(hn::Or(x, hn::ShiftLeft<8>(x)), d16, out + i);
  }
  for (; i < samples; ++i) out[i] = static_cast<uint16_t>(in[i] * 257);
}

void Narrow16To8(const uint16_t* in, size_t samples, uint8_t* out) {
  const U16 d16;
  const hn::Rebind<uint8_t, U16> d8;
  const hn::Rebind<int16_t, U16> di16;
  size_t i = 0;
  for (; i + hn::Lanes(d16) <= samples; i += hn::Lanes(d16)) {
    // x / 257 is nearly (x - x / 256) / 256, which cannot overflow; the half to add for rounding is
    // a little less than 128 in the lower half of the range.
    const auto x = hn::LoadU(d16, in + i);
    const auto half = hn::Add(hn::ShiftRight<15>(x), hn::Set(d16, 127));
    const auto scaled = hn::Add(hn::Sub(x, hn::ShiftRight<8>(x)), half);
    hn::StoreU(hn::DemoteTo(d8, hn::BitCast(di16, hn::ShiftRight<8>(scaled))), d8, out + i);
  }
  for (; i < samples; ++i) out[i] = static_cast<uint8_t>((in[i] * 255u + 32895) >> 16);
}

const char* ChosenTarget() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(Flatten8);
HWY_EXPORT(Flatten16);
HWY_EXPORT(Convert8);
HWY_EXPORT(Convert16);
HWY_EXPORT(Widen8To16);
HWY_EXPORT(Narrow16To8);
HWY_EXPORT(ChosenTarget);

void Widen8To16(const uint8_t* in, size_t samples, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(Widen8To16)(in, samples, out);
}

void Narrow16To8(const uint16_t* in, size_t samples, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(Narrow16To8)(in, samples, out);
}

void ConvertChannelsRow(const void* in, ColorModel in_color, bool in_alpha, ColorModel out_color,
                        bool out_alpha, uint8_t bits, size_t pixels, void* out) {
  const bool in_gray = in_color == ColorModel::kGray;
  const bool out_gray = out_color == ColorModel::kGray;
  if (in_gray == out_gray && in_alpha == out_alpha) {
    const size_t channels = (in_gray ? 1 : 3) + (in_alpha ? 1 : 0);
    std::memcpy(out, in, pixels * channels * (bits / 8u));
  } else if (bits == 16) {
    HWY_DYNAMIC_DISPATCH(Convert16)
    (static_cast<const uint16_t*>(in), in_gray, in_alpha, out_gray, out_alpha, pixels,
     static_cast<uint16_t*>(out));
  } else {
    HWY_DYNAMIC_DISPATCH(Convert8)
    (static_cast<const uint8_t*>(in), in_gray, in_alpha, out_gray, out_alpha, pixels,
     static_cast<uint8_t*>(out));
  }
}

void FlattenRow(const void* in, uint8_t channels, uint8_t bits, Rgba background, size_t pixels,
                void* out) {
  uint8_t color[3] = {background.r, background.g, background.b};
  if (channels == 2) RgbToGrayRow(color, 3, 1, color);
  if (bits == 16) {
    uint16_t wide[3];
    Widen8To16(color, 3, wide);
    HWY_DYNAMIC_DISPATCH(Flatten16)
    (static_cast<const uint16_t*>(in), channels, wide, pixels, static_cast<uint16_t*>(out));
  } else {
    HWY_DYNAMIC_DISPATCH(Flatten8)
    (static_cast<const uint8_t*>(in), channels, color, pixels, static_cast<uint8_t*>(out));
  }
}

const char* SimdTargetName() { return HWY_DYNAMIC_DISPATCH(ChosenTarget)(); }

}  // namespace pixpress
#endif  // HWY_ONCE
