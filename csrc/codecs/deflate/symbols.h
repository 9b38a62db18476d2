#pragma once
// What deflate streams are made of (RFC 1951), and how often each symbol is used.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pixpress {

// How far back the codes of a stream may reach.
inline constexpr size_t kDeflateWindowBytes = 32u << 10;
// Kinds of blocks.
inline constexpr uint32_t kStoredBlock = 0;
inline constexpr uint32_t kFixedBlock = 1;
inline constexpr uint32_t kDynamicBlock = 2;
// The most that a code of a symbol takes.
inline constexpr uint32_t kMostCodeBits = 15;

inline constexpr uint32_t kShortestMatch = 3;
inline constexpr uint32_t kLongestMatch = 258;
inline constexpr size_t kEndOfBlock = 256;
inline constexpr size_t kFirstLengthSymbol = 257;
inline constexpr size_t kDeflateSymbols = 286;  // Literals, the end of a block, lengths.
inline constexpr size_t kDistanceSymbols = 30;
// Of code lengths in headers; in the order in which their own lengths are written.
inline constexpr size_t kStepSymbols = 19;
inline constexpr std::array<uint8_t, kStepSymbols> kStepOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};

// The codes that need no header, two more symbols than are used among them.
inline constexpr size_t kFixedSymbols = kDeflateSymbols + 2;
constexpr uint8_t FixedSymbolBits(size_t symbol) {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}
inline constexpr uint8_t kFixedDistanceBits = 5;

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
