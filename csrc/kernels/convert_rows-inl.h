// Whole vectors of interleaved pixels, for the conversions. Included once for each SIMD target.

#if defined(PIXPRESS_CONVERT_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PIXPRESS_CONVERT_ROWS_INL_H_
#undef PIXPRESS_CONVERT_ROWS_INL_H_
#else
#define PIXPRESS_CONVERT_ROWS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using U8 = hn::ScalableTag<uint8_t>;
using U16 = hn::ScalableTag<uint16_t>;
using I16 = hn::ScalableTag<int16_t>;

template <size_t kChannels, class D>
void LoadPixels(D d, const hn::TFromD<D>* in, hn::Vec<D>* v) {
  if constexpr (kChannels == 1) v[0] = hn::LoadU(d, in);
  if constexpr (kChannels == 2) hn::LoadInterleaved2(d, in, v[0], v[1]);
  if constexpr (kChannels == 3) hn::LoadInterleaved3(d, in, v[0], v[1], v[2]);
  if constexpr (kChannels == 4) hn::LoadInterleaved4(d, in, v[0], v[1], v[2], v[3]);
}

template <size_t kChannels, class D>
void StorePixels(D d, const hn::Vec<D>* v, hn::TFromD<D>* out) {
  if constexpr (kChannels == 1) hn::StoreU(v[0], d, out);
  if constexpr (kChannels == 2) hn::StoreInterleaved2(v[0], v[1], d, out);
  if constexpr (kChannels == 3) hn::StoreInterleaved3(v[0], v[1], v[2], d, out);
  if constexpr (kChannels == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, out);
}

// Block(in, out) converts Lanes(d) pixels; the last ones go through copies on the stack, so that
// nothing is read or written beyond the row. In place if Block::kIn == Block::kOut.
template <class Block, typename T>
void MapPixels(const Block& block, const T* in, size_t pixels, T* out) {
  const hn::ScalableTag<T> d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= pixels; i += hn::Lanes(d)) {
    block(in + i * Block::kIn, out + i * Block::kOut);
  }
  if (i == pixels) return;
  T from[HWY_MAX_BYTES / sizeof(T) * Block::kIn] = {};
  T to[HWY_MAX_BYTES / sizeof(T) * Block::kOut];
  std::memcpy(from, in + i * Block::kIn, (pixels - i) * Block::kIn * sizeof(T));
  block(from, to);
  std::memcpy(out + i * Block::kOut, to, (pixels - i) * Block::kOut * sizeof(T));
}

// floor(x / 255) for x < 65535.
template <class D>
hn::Vec<D> DivideBy255(D d, hn::Vec<D> x) {
  return hn::ShiftRight<8>(hn::Add(hn::Add(x, hn::Set(d, 1)), hn::ShiftRight<8>(x)));
}

// (a * weight_a + b * weight_b + c * weight_c + add) >> 16, saturated to 16 bits.
struct Weights3 {
  int16_t a, b, c;
  int32_t add;
};

template <class V16>
hn::Vec<hn::RepartitionToWide<hn::DFromV<V16>>> AddProducts(
    V16 samples, V16 weights, hn::Vec<hn::RepartitionToWide<hn::DFromV<V16>>> sum) {
  const hn::RepartitionToWide<hn::DFromV<V16>> d32;
  auto odd = hn::Zero(d32);
  const auto even = hn::ReorderWidenMulAccumulate(d32, samples, weights, sum, odd);
  return hn::RearrangeToOddPlusEven(even, odd);
}

inline hn::Vec<I16> WeightedSum(hn::Vec<I16> a, hn::Vec<I16> b, hn::Vec<I16> c,
                                const Weights3& weights) {
  const I16 d;
  const hn::RepartitionToWide<I16> d32;
  const auto none = hn::Zero(d);
  const auto ab = hn::InterleaveLower(d, hn::Set(d, weights.a), hn::Set(d, weights.b));
  const auto c0 = hn::InterleaveLower(d, hn::Set(d, weights.c), none);
  const auto add = hn::Set(d32, weights.add);
  auto low = AddProducts(hn::InterleaveLower(d, a, b), ab, add);
  low = AddProducts(hn::InterleaveLower(d, c, none), c0, low);
  auto high = AddProducts(hn::InterleaveUpper(d, a, b), ab, add);
  high = AddProducts(hn::InterleaveUpper(d, c, none), c0, high);
  // Packs within 128-bit blocks, as interleaving did.
  return hn::ReorderDemote2To(d, hn::ShiftRight<16>(low), hn::ShiftRight<16>(high));
}

// Bytes as two vectors of 16 bits, and back with saturation.
inline void Split(hn::Vec<U8> bytes, hn::Vec<I16>* low, hn::Vec<I16>* high) {
  const hn::Half<U8> half;
  *low = hn::PromoteTo(I16(), hn::LowerHalf(half, bytes));
  *high = hn::PromoteTo(I16(), hn::UpperHalf(half, bytes));
}

inline hn::Vec<U8> Join(hn::Vec<I16> low, hn::Vec<I16> high) {
  const hn::Half<U8> half;
  return hn::Combine(U8(), hn::DemoteTo(half, high), hn::DemoteTo(half, low));
}

// JFIF's luma in 16-bit fixed point: 19595 r + 38470 g + 7471 b. A whole g is taken out for the
// weights to fit in 16 bits.
template <class D>
struct Luma;

template <>
struct Luma<U8> {
  static hn::Vec<I16> Of16(hn::Vec<I16> r, hn::Vec<I16> g, hn::Vec<I16> b) {
    return hn::Add(g, WeightedSum(r, g, b, {19595, -27066, 7471, 32768}));
  }
  static hn::Vec<U8> Of(const hn::Vec<U8>* rgb) {
    hn::Vec<I16> low[3], high[3];
    for (size_t c = 0; c < 3; ++c) Split(rgb[c], &low[c], &high[c]);
    return Join(Of16(low[0], low[1], low[2]), Of16(high[0], high[1], high[2]));
  }
};

template <>
struct Luma<U16> {
  using Narrow = hn::Half<U16>;
  static hn::Vec<Narrow> OfHalf(hn::Vec<Narrow> r, hn::Vec<Narrow> g, hn::Vec<Narrow> b) {
    const hn::Rebind<uint32_t, Narrow> d32;
    auto sum = hn::Mul(hn::PromoteTo(d32, r), hn::Set(d32, 19595));
    sum = hn::Add(sum, hn::Mul(hn::PromoteTo(d32, g), hn::Set(d32, 38470)));
    sum = hn::Add(sum, hn::Mul(hn::PromoteTo(d32, b), hn::Set(d32, 7471)));
    sum = hn::ShiftRight<16>(hn::Add(sum, hn::Set(d32, 32768)));
    return hn::DemoteTo(Narrow(), hn::BitCast(hn::Rebind<int32_t, Narrow>(), sum));
  }
  static hn::Vec<U16> Of(const hn::Vec<U16>* v) {
    const Narrow half;
    const auto low =
        OfHalf(hn::LowerHalf(half, v[0]), hn::LowerHalf(half, v[1]), hn::LowerHalf(half, v[2]));
    const auto high =
        OfHalf(hn::UpperHalf(half, v[0]), hn::UpperHalf(half, v[1]), hn::UpperHalf(half, v[2]));
    return hn::Combine(U16(), high, low);
  }
};

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // Toggled for each target.
