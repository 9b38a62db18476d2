#pragma once
// Logarithms from integers alone, for what decides about bytes.

#include <bit>
#include <cstdint>

namespace pixpress {

// The logarithm of a positive number to base 2, in 1024ths, rounded down.
constexpr int32_t Log2In1024ths(uint32_t x) {
  const int32_t whole = std::bit_width(x) - 1;
  uint64_t mantissa = (uint64_t{x} << 32) >> (16 + whole);
  int32_t log = whole;
  for (int bit = 0; bit < 10; ++bit) {
    mantissa = mantissa * mantissa >> 16;
    const int32_t is_above = mantissa >> 17 != 0 ? 1 : 0;
    mantissa >>= is_above;
    log = 2 * log + is_above;
  }
  return log;
}

}  // namespace pixpress
