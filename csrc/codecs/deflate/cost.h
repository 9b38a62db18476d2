#pragma once
// What symbols of a deflate stream cost before their codes are known, in 1/32 bit: integers, the
// same everywhere.

#include <array>
#include <cstdint>

#include "codecs/deflate/symbols.h"

namespace pixpress {

inline constexpr int kDeflateCostBits = 5;

struct DeflateCosts {
  DeflateCosts() = default;
  // As these counts have it; what they do not have costs a little more than what they have once.
  explicit DeflateCosts(const DeflateCounts& counts);

  std::array<uint32_t, 256> literals = {};
  std::array<uint32_t, kLongestMatch + 1> lengths = {};
  std::array<uint32_t, kDistanceSymbols> distances = {};
};

// About what a block with these counts takes, without the extra bits of lengths and distances.
uint64_t DeflateBlockCost(const DeflateCounts& counts);

}  // namespace pixpress
