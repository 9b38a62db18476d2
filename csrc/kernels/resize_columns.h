#pragma once
// The inner loop of a resize along a row: one output pixel for each window of its pixels. 16-bit
// samples; SIMD with run-time dispatch; integer arithmetic, so that every target gives the same.

#include <cstddef>
#include <cstdint>

#include "kernels/resize_weights.h"

namespace pixpress {

// What the taps of `columns` are a multiple of.
inline constexpr size_t ColumnTapGroup(size_t channels) { return channels == 1 ? 8 : 4; }

// `in` holds interleaved pixels of `channels` samples, 1 to 4. Rows are padded as those of
// kernels/resize_blend.h.
void BlendColumns(const int16_t* in, size_t channels, const UniformWeights& columns, int16_t* out);

}  // namespace pixpress
