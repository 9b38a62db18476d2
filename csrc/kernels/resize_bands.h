#pragma once
// The rows of a resize in bands: one output row, or two that share most of their source rows, so
// that these are read and widened once for both.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/resize.h"

namespace pixpress {

// Weights of kWeightBits bits, `taps` for each output row of a band. All numbers of taps are even.
struct BandWeights {
  const int16_t* first = nullptr;
  const int16_t* second = nullptr;  // Of the second row, if there is one.
  size_t taps = 0;
  size_t second_begin = 0;  // Before it all of the second row are 0,
  size_t first_end = 0;     // and from here on, not before second_begin, all of the first row.
};

struct ResizeBands {
  // `count` source rows from `first` on make `rows` output rows, 1 or 2. Each of these has taps()
  // weights, one run after the other; those beyond `count` and of rows that it does not use are 0.
  struct Band {
    uint32_t first = 0;
    uint32_t count = 0;
    uint32_t rows = 1;
    size_t offset = 0;  // Of the first weight in `weights`.
    // As in BandWeights.
    uint32_t second_begin = 0;
    uint32_t first_end = 0;

    size_t taps() const { return size_t{count} + count % 2; }
  };
  std::vector<Band> bands;
  std::vector<int16_t> weights;
  uint32_t most_count = 0;

  BandWeights WeightsOf(const Band& band) const {
    const int16_t* const first = weights.data() + band.offset;
    return {first, first + band.taps(), band.taps(), band.second_begin, band.first_end};
  }

  static ResizeBands Make(const ResizeAxis& axis, Filter filter);
  // An upper bound of what Make holds meanwhile.
  static uint64_t MemoryBytes(const ResizeAxis& axis, Filter filter);
  // Source rows of one band, at most.
  static uint32_t MostCount(const ResizeAxis& axis, Filter filter);
};

}  // namespace pixpress
