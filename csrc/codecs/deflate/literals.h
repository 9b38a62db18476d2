#pragma once
// Deflate without matches, for noise: nothing repeats there, and Huffman codes alone are fast.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/stop_token.h"

namespace pixpress {

// Raw deflate of `data` (a byte at least) with Huffman codes alone into `out`; returns how many
// bytes were made, 0 if there is too little room. A piece that is not the last one ends on a byte,
// with an empty stored block. Polls `stop` per block. Holds less than 256 KiB.
Result<size_t> DeflateLiterals(std::span<const uint8_t> data, bool is_last, const StopToken& stop,
                               std::span<uint8_t> out);

// About the least that DeflateLiterals() makes of `data`: the entropy of bytes that share a code.
size_t LeastLiteralBytes(std::span<const uint8_t> data);

}  // namespace pixpress
