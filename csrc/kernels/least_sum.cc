#include "kernels/least_sum.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/least_sum.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

LeastSum FindLeast(const uint32_t* HWY_RESTRICT a, const uint32_t* HWY_RESTRICT b, uint32_t count) {
  const hn::CappedTag<uint32_t, 16> d;
  const auto lanes = static_cast<uint32_t>(hn::Lanes(d));
  LeastSum least;
  if (count < lanes) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t sum = a[i] + b[i];
      if (sum <= least.sum) least = {sum, i};
    }
    return least;
  }
  auto sums = hn::Add(hn::LoadU(d, a), hn::LoadU(d, b));
  const auto first = hn::Iota(d, 0);
  auto places = first;
  const auto take = [&](uint32_t at) HWY_ATTR {
    const auto sum = hn::Add(hn::LoadU(d, a + at), hn::LoadU(d, b + at));
    sums = hn::Min(sum, sums);
    places = hn::IfThenElse(hn::Eq(sum, sums), hn::Add(first, hn::Set(d, at)), places);
  };
  uint32_t at = lanes;
  for (; at + lanes <= count; at += lanes) take(at);
  // The last ones, some of them once more.
  if (at < count) take(count - lanes);
  least.sum = hn::GetLane(hn::MinOfLanes(d, sums));
  const auto is_least = hn::Eq(sums, hn::Set(d, least.sum));
  least.place = hn::GetLane(hn::MaxOfLanes(d, hn::IfThenElseZero(is_least, places)));
  return least;
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(FindLeast);

LeastSum FindLeastSum(const uint32_t* a, const uint32_t* b, uint32_t count) {
  return HWY_DYNAMIC_DISPATCH(FindLeast)(a, b, count);
}

}  // namespace pixpress
#endif  // HWY_ONCE
