#pragma once
// Size arithmetic on numbers that come from input.

#include <concepts>
#include <cstdint>
#include <limits>

namespace pixpress {

// Saturate instead of wrapping: a saturated size exceeds every limit and is refused there.
constexpr uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

constexpr uint64_t SaturatingMul(uint64_t a, uint64_t b) {
  if (a != 0 && b > std::numeric_limits<uint64_t>::max() / a) {
    return std::numeric_limits<uint64_t>::max();
  }
  return a * b;
}

template <std::unsigned_integral T>
constexpr T DivideRoundingUp(T a, T b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

template <std::unsigned_integral T>
constexpr T RoundUpTo(T a, T multiple) {
  return DivideRoundingUp(a, multiple) * multiple;
}

}  // namespace pixpress
