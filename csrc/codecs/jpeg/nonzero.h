#pragma once
// Which coefficients of a block are not 0.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codecs/jpeg/frame.h"

namespace pixpress {

// Position in the block to position in zigzag order.
inline constexpr std::array<uint8_t, 64> kJpegZigzag = [] {
  std::array<uint8_t, 64> zigzag = {};
  for (uint8_t k = 0; k < 64; ++k) zigzag[kJpegNaturalOrder[k]] = k;
  return zigzag;
}();

// A bit for each position of the block that is not 0, without branches: where values are is as good
// as random.
inline uint64_t JpegNonZeroNatural(const int16_t* block) {
  constexpr uint64_t kLow = 0x7FFF7FFF7FFF7FFF;
  constexpr bool is_little = std::endian::native == std::endian::little;
  constexpr uint64_t kGather = is_little ? 0x0001000200040008 : 0x0008000400020001;
  uint64_t mask = 0;
  for (size_t i = 0; i < 64; i += 4) {
    uint64_t four;
    std::memcpy(&four, block + i, sizeof four);
    // The highest bit of each value that is not 0; the product brings them side by side.
    const uint64_t high = (((four & kLow) + kLow) | four) & ~kLow;
    const uint64_t bits = (high >> 15) * kGather >> 48 & 15;
    mask |= bits << i;
  }
  return mask;
}

// From positions in the block to positions in zigzag order.
inline uint64_t JpegZigzagBits(uint64_t natural) {
  uint64_t mask = 0;
  for (; natural != 0; natural &= natural - 1) {
    mask |= uint64_t{1} << kJpegZigzag[std::countr_zero(natural)];
  }
  return mask;
}

// A bit for each position in zigzag order.
inline uint64_t JpegNonZero(const int16_t* block) {
  return JpegZigzagBits(JpegNonZeroNatural(block));
}

}  // namespace pixpress
