#pragma once
// From samples to the DCT coefficients of 8 x 8 blocks. SIMD with run-time dispatch; integer
// arithmetic, the same on every target. Thread-safe; never blocks.

#include <cstddef>
#include <cstdint>

namespace pixpress {

// The coefficients of the block of samples from `column` on in 8 rows, in eighths and row by row.
// 128 is taken off the samples.
void ForwardDct(const uint8_t* const* rows, size_t column, int16_t* coefficients);

}  // namespace pixpress
