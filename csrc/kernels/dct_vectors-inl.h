// Eight rows of eight 16-bit numbers, and sums of products of them, for the transforms of blocks.
// Included once for each SIMD target.

#if defined(PIXPRESS_DCT_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PIXPRESS_DCT_VECTORS_INL_H_
#undef PIXPRESS_DCT_VECTORS_INL_H_
#else
#define PIXPRESS_DCT_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D16 = hn::FixedTag<int16_t, 8>;
using D32 = hn::FixedTag<int32_t, 4>;
using V16 = hn::Vec<D16>;
using V32 = hn::Vec<D32>;

// Factors have 13 bits after the point, what is between the two passes has 2.
constexpr int kFactorBits = 13;
constexpr int kBetweenBits = 2;

// The eight columns of a row of sums.
struct Sums {
  V32 low;
  V32 high;
};
HWY_INLINE Sums operator+(const Sums& a, const Sums& b) {
  return {hn::Add(a.low, b.low), hn::Add(a.high, b.high)};
}
HWY_INLINE Sums operator-(const Sums& a, const Sums& b) {
  return {hn::Sub(a.low, b.low), hn::Sub(a.high, b.high)};
}

// Two rows, their samples by turns.
struct Pair {
  V16 low;
  V16 high;
};
HWY_INLINE Pair Interleave(V16 a, V16 b) {
  return {hn::InterleaveLower(D16(), a, b), hn::InterleaveUpper(D16(), a, b)};
}

HWY_INLINE V32 MulPairs(V16 pairs, V16 factors) {
  V32 odd = hn::Zero(D32());
  const V32 even = hn::ReorderWidenMulAccumulate(D32(), pairs, factors, hn::Zero(D32()), odd);
  return hn::RearrangeToOddPlusEven(even, odd);
}
// a * fa + b * fb
HWY_INLINE Sums Mul(const Pair& rows, int fa, int fb) {
  const V16 factors = hn::InterleaveLower(D16(), hn::Set(D16(), static_cast<int16_t>(fa)),
                                          hn::Set(D16(), static_cast<int16_t>(fb)));
  return {MulPairs(rows.low, factors), MulPairs(rows.high, factors)};
}

// Vectors of 128 bits keep their order.
template <int kShift>
HWY_INLINE V16 Rounded(const Sums& sums) {
  const V32 half = hn::Set(D32(), 1 << (kShift - 1));
  return hn::ReorderDemote2To(D16(), hn::ShiftRight<kShift>(hn::Add(sums.low, half)),
                              hn::ShiftRight<kShift>(hn::Add(sums.high, half)));
}

// Each round turns the 6 bits of a sample's place by one.
HWY_INLINE void Transpose(V16* rows) {
  for (int round = 0; round < 3; ++round) {
    const V16 a[8] = {rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]};
    for (int i = 0; i < 4; ++i) {
      rows[2 * i] = hn::InterleaveLower(D16(), a[i], a[i + 4]);
      rows[2 * i + 1] = hn::InterleaveUpper(D16(), a[i], a[i + 4]);
    }
  }
}

// The transform of Loeffler, Ligtenberg and Moschytz (1989) as sums of products: their twelve
// factors, rounded one by one, make the same sums as their steps do.
constexpr int kC = 9633, kE = 4433;  // sqrt(2) * cos(3 pi / 16) and cos(6 pi / 16)
constexpr int kE0 = kE + 6270, kE1 = kE - 15137;
constexpr int kZ1 = -7373, kZ2 = -20995, kZ3 = kC - 16069, kZ4 = kC - 3196;
constexpr int kF1 = 12299 + kZ1 + kZ4, kF3 = 25172 + kZ2 + kZ3;
constexpr int kF5 = 16819 + kZ2 + kZ4, kF7 = 2446 + kZ1 + kZ3;

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // PIXPRESS_DCT_VECTORS_INL_H_
