// Vector arithmetic of weighted sums; included once for each SIMD target.

#if defined(PIXPRESS_RESIZE_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PIXPRESS_RESIZE_VECTORS_INL_H_
#undef PIXPRESS_RESIZE_VECTORS_INL_H_
#else
#define PIXPRESS_RESIZE_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "kernels/resize_weights.h"

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

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
