#pragma once
// Which source samples make an output sample, and how much of each, in fixed point.

#include <cstdint>
#include <vector>

#include "kernels/resize.h"

namespace pixpress {

inline constexpr int kWeightBits = 14;

// The window of each output sample: `count` weights from source sample `first` on. Weights add up
// to exactly 1 << kWeightBits.
struct ResizeWeights {
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

// The same windows with `taps` weights each, an even number, from an even sample on, for loops of a
// fixed length over pairs. They end at most one sample beyond the axis unless it is shorter; none
// begins before the one before it.
struct UniformWeights {
  size_t taps = 0;
  std::vector<uint32_t> firsts;  // The first source sample of each window.
  std::vector<int16_t> weights;

  const int16_t* WeightsOf(size_t window) const { return weights.data() + window * taps; }

  static UniformWeights Make(const ResizeAxis& axis, Filter filter);
  static size_t MostTaps(const ResizeAxis& axis, Filter filter);
  // An upper bound of what Make holds meanwhile.
  static uint64_t MemoryBytes(const ResizeAxis& axis, Filter filter);
};

// Taps of one window, at most.
uint32_t MostTaps(const ResizeAxis& axis, Filter filter);

}  // namespace pixpress
