#include "kernels/resize_bands.h"

#include <algorithm>

#include "base/checked_math.h"
#include "kernels/resize_weights.h"

namespace pixpress {
namespace {

using Window = ResizeWeights::Window;

// Zeros of two rows in a band cost less than what they share saves.
bool MayShare(const Window& first, const Window& second, uint32_t count) {
  return first.count > 1 &&
         3 * uint64_t{count} <= 4 * uint64_t{std::max(first.count, second.count)};
}

// `second` may begin before `first`, or end before it: then all that is there is blended for both.
ResizeBands::Band BandOfTwo(const Window& first, const Window& second) {
  const uint32_t first_end = first.first + first.count, second_end = second.first + second.count;
  ResizeBands::Band band;
  band.first = std::min(first.first, second.first);
  band.count = std::max(first_end, second_end) - band.first;
  band.rows = 2;
  band.first_end = RoundUpTo<uint32_t>(first_end - band.first, 2);
  band.second_begin = std::min((second.first - band.first) / 2 * 2, band.first_end);
  return band;
}

}  // namespace

uint32_t ResizeBands::MostCount(const ResizeAxis& axis, Filter filter) {
  const uint64_t most_taps = MostTaps(axis, filter);
  return static_cast<uint32_t>(std::min<uint64_t>(axis.in_size, most_taps * 4 / 3));
}

uint64_t ResizeBands::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  const uint64_t taps = uint64_t{MostCount(axis, filter)} + 1;
  return ResizeWeights::MemoryBytes(axis, filter) +
         axis.out_size * (sizeof(Band) + taps * sizeof(int16_t));
}

ResizeBands ResizeBands::Make(const ResizeAxis& axis, Filter filter) {
  const ResizeWeights exact = ResizeWeights::Make(axis, filter);
  ResizeBands made;
  made.bands.reserve(axis.out_size);
  made.weights.reserve(axis.out_size * (size_t{MostCount(axis, filter)} + 1));
  for (size_t row = 0; row < exact.windows.size();) {
    const Window& window = exact.windows[row];
    Band band{.first = window.first, .count = window.count};
    if (row + 1 < exact.windows.size()) {
      const Window& next = exact.windows[row + 1];
      const Band both = BandOfTwo(window, next);
      if (MayShare(window, next, both.count)) band = both;
    }
    band.offset = made.weights.size();
    made.most_count = std::max(made.most_count, band.count);
    made.weights.resize(made.weights.size() + band.rows * band.taps(), 0);
    int16_t* run = made.weights.data() + band.offset;
    for (uint32_t i = 0; i < band.rows; ++i, ++row, run += band.taps()) {
      const Window& used = exact.windows[row];
      std::copy_n(exact.weights.begin() + static_cast<ptrdiff_t>(used.offset), used.count,
                  run + (used.first - band.first));
    }
    made.bands.push_back(band);
  }
  return made;
}

}  // namespace pixpress
