// The nearest entry of some blocks. Included once for each SIMD target.

#if defined(PIXPRESS_PALETTE_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PIXPRESS_PALETTE_SEARCH_INL_H_
#undef PIXPRESS_PALETTE_SEARCH_INL_H_
#else
#define PIXPRESS_PALETTE_SEARCH_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>

#include "kernels/palette_search.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Keys = hn::CappedTag<int32_t, PaletteBlock::kEntries>;

// Squares of neighboring differences, added.
inline hn::Vec<Keys> AddSquares(hn::Vec<hn::Repartition<int16_t, Keys>> difference,
                                hn::Vec<Keys> sum) {
  auto odd = hn::Zero(Keys());
  const auto even = hn::ReorderWidenMulAccumulate(Keys(), difference, difference, sum, odd);
  return hn::RearrangeToOddPlusEven(even, odd);
}

// A color, once for each entry of a vector.
struct Wanted {
  explicit Wanted(const PaletteColor& color) {
    int32_t pairs[2];
    std::memcpy(pairs, color.data(), sizeof(pairs));
    const hn::Repartition<int16_t, Keys> d16;
    red_green = hn::BitCast(d16, hn::Set(Keys(), pairs[0]));
    blue_alpha = hn::BitCast(d16, hn::Set(Keys(), pairs[1]));
  }
  hn::Vec<hn::Repartition<int16_t, Keys>> red_green, blue_alpha;
};

inline NearestEntry NearestOf(const PaletteBlock* blocks, size_t count, const Wanted& wanted) {
  const Keys d;
  const hn::Repartition<int16_t, Keys> d16;
  auto best = hn::Set(d, INT32_MAX);
  for (size_t b = 0; b < count; ++b) {
    for (size_t i = 0; i < PaletteBlock::kEntries; i += hn::Lanes(d)) {
      const auto red_green = hn::Load(d16, blocks[b].red_green[i].data());
      const auto blue_alpha = hn::Load(d16, blocks[b].blue_alpha[i].data());
      auto sum = AddSquares(hn::Sub(red_green, wanted.red_green), hn::Zero(d));
      sum = AddSquares(hn::Sub(blue_alpha, wanted.blue_alpha), sum);
      const auto index = hn::Load(d, blocks[b].index.data() + i);
      best = hn::Min(best, hn::Or(hn::ShiftLeft<8>(sum), index));
    }
  }
  return {hn::GetLane(hn::MinOfLanes(d, best))};
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // Toggled for each target.
