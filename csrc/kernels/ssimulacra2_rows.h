#pragma once
// The arithmetic of SSIMULACRA2 on rows of floats. SIMD with run-time dispatch; the same bits on
// every target: each lane does the same exactly rounded operations in the same order, never fused,
// and sums are kept in 16 lanes whatever the width of a vector is. Thread-safe; never blocks.

#include <array>
#include <cstddef>

namespace pixpress {

// Rows of floats start at a multiple of 64 bytes, with as many zeros before the first sample, and
// at least as many after the last one.
inline constexpr size_t kScoreMargin = 16;
// How many rows and columns around a sample belong to its window.
inline constexpr size_t kScoreReach = 5;
inline constexpr size_t kScoreWindow = 2 * kScoreReach + 1;

// From three rows of linear RGB to X, Y and B - Y, made positive. Writes the margin behind too.
void LinearToXybRow(const std::array<const float*, 3>& linear, size_t width,
                    const std::array<float*, 3>& xyb);

// The mean of each square of two samples in two rows; of an odd width, the last one of what is
// there. Writes (width + 1) / 2 samples.
void HalveRow(const float* upper, const float* lower, size_t width, float* out);

// a^2 + b^2 and (a - b)^2, with their margin.
void SquaresRow(const float* a, const float* b, size_t width, float* squares, float* errors);

// The sums of one component over a row: dissimilarity of structure, edges that are new, edges that
// are gone; of each the sum and the sum of fourth powers.
inline constexpr size_t kScoreSums = 6;

// The window of rows that surround one row of a component, from above to below.
struct WindowRows {
  std::array<const float*, kScoreWindow> reference, distorted, squares, errors;
};

// Adds up one row.
void AddErrorsOfRow(const WindowRows& rows, size_t width, std::array<double, kScoreSums>* sums);

}  // namespace pixpress
