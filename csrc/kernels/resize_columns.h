#pragma once
// The inner loop of a resize along its rows: one output pixel for each window of pixels, of
// several rows at once. 16-bit samples; SIMD with run-time dispatch; integer arithmetic, so that
// every target gives the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/resize_weights.h"

namespace pixpress {

// Rows that are blended at once: channels share weights as rows do, so that one channel gains from
// more rows. Fewer are given as one of them several times.
inline constexpr size_t kMostColumnRows = 16;
constexpr size_t ColumnRows(size_t channels) { return channels == 1 ? kMostColumnRows : 8; }

// What BlendColumns does at a time.
struct ColumnTile {
  static constexpr size_t kOutPixels = 64;

  // Several windows, so that few pixels are turned twice, and no more than the L1 cache holds.
  static size_t SourcePixels(size_t taps) { return std::max<size_t>(256, 4 * taps); }
  // Scratch memory for windows of up to `taps` pixels. Both parts are written in whole vectors.
  static size_t ScratchSamples(size_t channels, size_t taps) {
    return ((SourcePixels(taps) + 8 + kOutPixels) * channels + 8) * ColumnRows(channels);
  }
};

// `rows` hold interleaved pixels of `channels` samples, 1 to 4. Rows, in and out, are padded as
// those of kernels/resize_blend.h. `scratch` belongs to the call, and is aligned to 64 bytes.
void BlendColumns(const int16_t* const* rows, size_t channels, const UniformWeights& columns,
                  int16_t* scratch, int16_t* const* out);

}  // namespace pixpress
