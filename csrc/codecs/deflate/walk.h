#pragma once
// Where the blocks of a deflate stream begin, and where in them a part of its data does: only who
// decodes it knows. The bytes themselves are not made.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace pixpress {

// Places in a stream are numbers of bits.
struct DeflateBlockPlaces {
  size_t begin = 0;
  size_t body = 0;  // After its header.
  size_t end = 0;
};

struct DeflateWalk {
  // Those that hold codes after the cut: none if one match makes all of the data there.
  std::vector<DeflateBlockPlaces> blocks = {};
  size_t cut = 0;         // Where in the first of them what stays begins.
  size_t data_bytes = 0;  // After the known ones, that a code before the cut has made.
};

// Reads `count` bits, at most 32, at a place; zeros behind the end.
uint32_t ReadDeflateBits(std::span<const uint8_t> stream, size_t at, unsigned count);

// Walks over a whole raw stream and cuts it behind the code that makes the last known byte.
// kInternal if it cannot be read, or has no more than what is known.
Result<DeflateWalk> WalkDeflate(std::span<const uint8_t> stream, size_t known_bytes);

}  // namespace pixpress
