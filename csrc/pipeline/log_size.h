#pragma once
// The logarithm of a size, the same on every machine: it decides about qualities, and so about
// bytes. That of the C library is not.

#include <cmath>
#include <cstdint>

namespace pixpress {

// The binary logarithm, to 1e-6; 0 for 0.
inline double LogSize(uint64_t size_bytes) {
  if (size_bytes == 0) return 0;
  int exponent = 0;
  const double part = std::frexp(static_cast<double>(size_bytes), &exponent);
  // ln((1 + x) / (1 - x)) = 2 (x + x^3 / 3 + ...), around the middle of 0.5 to 1.
  constexpr double kMiddle = 0.70710678118654752;
  constexpr double kTwoOverLn2 = 2.8853900817779268;
  const double x = (part - kMiddle) / (part + kMiddle);
  const double square = x * x;
  const double series = x * (1 + square * (1.0 / 3 + square * (1.0 / 5 + square / 7)));
  return exponent - 0.5 + kTwoOverLn2 * series;
}

}  // namespace pixpress
