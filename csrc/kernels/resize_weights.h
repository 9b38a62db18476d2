#pragma once
// Which source samples make an output sample, and how much of each, in fixed point.

#include <cstdint>
#include <vector>

#include "kernels/resize.h"

namespace pixpress {

inline constexpr int kWeightBits = 14;

// The window of each output sample: `count` weights from source sample `first` on. Weights add up
// to exactly 1 << kWeightBits. Zeros follow the weights of a window up to a multiple of kTapGroup.
struct ResizeWeights {
  static constexpr size_t kTapGroup = 8;

  struct Window {
    uint32_t first = 0;
    uint32_t count = 0;
    size_t offset = 0;  // Of the first weight in `weights`.
  };
  std::vector<Window> windows;
  std::vector<int16_t> weights;
  uint32_t most_taps = 0;

  static ResizeWeights Make(const ResizeAxis& axis, Filter filter);
  // An upper bound of what Make holds.
  static uint64_t MemoryBytes(const ResizeAxis& axis, Filter filter);
};

// Taps of one window, at most.
uint32_t MostTaps(const ResizeAxis& axis, Filter filter);

}  // namespace pixpress
