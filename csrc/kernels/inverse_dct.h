#pragma once
// From the DCT coefficients of 8 x 8 blocks to samples, at full size or averaged down. SIMD with
// run-time dispatch; integer arithmetic, the same on every target. Thread-safe; never blocks.

#include <cstddef>
#include <cstdint>

namespace pixpress {

// The samples of one block, `side` (2, 4 or 8) rows of as many. Less than 8 are the averages of the
// full block's squares, found without it. Rounds as libjpeg does ("islow"), saturates to 0..255.
// Coefficients and quantization steps row by row, their products taken modulo 2^16. Leaves the
// coefficients as zeros, for the next block.
void InverseDct(uint32_t side, int16_t* coefficients, const int16_t* steps, uint8_t* out,
                size_t stride_bytes);

// The same of a block of nothing but its DC coefficient: the value of all its samples.
inline uint8_t InverseDctFlat(int32_t coefficient, int32_t step) {
  const int32_t value = ((static_cast<int16_t>(coefficient * step) + 4) >> 3) + 128;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

}  // namespace pixpress
