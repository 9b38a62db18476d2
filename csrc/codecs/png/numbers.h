#pragma once
// Big-endian numbers in PNG chunks.

#include <cstdint>

namespace pixpress {

inline uint32_t LoadPng32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

inline void StorePng32(uint32_t value, uint8_t* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

}  // namespace pixpress
