#pragma once
// What the symbols of a deflate stream mean (RFC 1951), and how often or how dearly each is used.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pixpress {

inline constexpr uint32_t kShortestMatch = 3;
inline constexpr uint32_t kLongestMatch = 258;
inline constexpr size_t kEndOfBlock = 256;
inline constexpr size_t kFirstLengthSymbol = 257;
inline constexpr size_t kDeflateSymbols = 286;  // Literals, the end of a block, lengths.
inline constexpr size_t kDistanceSymbols = 30;

struct LengthSlots {
  constexpr LengthSlots() {
    uint32_t length = kShortestMatch;
    for (size_t slot = 0; slot + 1 < base.size(); ++slot) {
      extra_bits[slot] = static_cast<uint8_t>(slot < 8 ? 0 : (slot - 4) / 4);
      base[slot] = static_cast<uint16_t>(length);
      for (uint32_t i = 0; i < 1u << extra_bits[slot] && length < of_length.size(); ++i) {
        of_length[length++] = static_cast<uint8_t>(slot);
      }
    }
    base[28] = kLongestMatch;
    of_length[kLongestMatch] = 28;
  }

  std::array<uint8_t, kLongestMatch + 1> of_length = {};
  std::array<uint16_t, 29> base = {};
  std::array<uint8_t, 29> extra_bits = {};
};
inline constexpr LengthSlots kLengthSlots;

// Of a distance from 1 to 32768.
inline uint32_t DistanceSlot(uint32_t distance) {
  const uint32_t d = distance - 1;
  if (d < 4) return d;
  const auto log = static_cast<uint32_t>(std::bit_width(d)) - 1;
  return 2 * log + (d >> (log - 1) & 1);
}
constexpr uint32_t DistanceExtraBits(uint32_t slot) { return slot < 4 ? 0 : slot / 2 - 1; }
constexpr uint32_t DistanceBase(uint32_t slot) {
  return slot < 4 ? slot + 1 : ((2 + slot % 2) << DistanceExtraBits(slot)) + 1;
}

// A literal (`length` 0, the byte in `distance`) or a match.
struct DeflateToken {
  uint16_t length = 0;
  uint16_t distance = 0;
};

// How often each symbol is used.
struct DeflateCounts {
  std::array<uint32_t, kDeflateSymbols> symbols = {};
  std::array<uint32_t, kDistanceSymbols> distances = {};

  void Add(DeflateToken token) {
    if (token.length == 0) {
      ++symbols[token.distance];
      return;
    }
    ++symbols[kFirstLengthSymbol + kLengthSlots.of_length[token.length]];
    ++distances[DistanceSlot(token.distance)];
  }
  void Add(const DeflateCounts& other) {
    for (size_t i = 0; i < symbols.size(); ++i) symbols[i] += other.symbols[i];
    for (size_t i = 0; i < distances.size(); ++i) distances[i] += other.distances[i];
  }
};

}  // namespace pixpress
