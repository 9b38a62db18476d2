#pragma once
// Where to begin blocks of a deflate stream: each has codes of its own, and a header for them.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codecs/deflate/symbols.h"

namespace pixpress {

struct DeflateBlock {
  size_t begin = 0;  // Of its data.
  size_t end = 0;
  DeflateCounts counts = {};
  uint64_t cost = 0;
  uint64_t both_cost = 0;  // Of this block and the next one as one.
};

// Unites neighbors for as long as that saves something, where it saves most first. Only `begin`,
// `end` and `counts` are looked at.
void UniteDeflateBlocks(std::vector<DeflateBlock>* blocks);

}  // namespace pixpress
