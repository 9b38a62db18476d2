#pragma once
// One piece of a deflate stream that others precede and follow, as pigz makes them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/stop_token.h"

namespace pixpress {

struct DeflateBlockOptions {
  int level = 6;  // 1 to 9, of zlib.
  bool is_huffman_only = false;
  bool is_last = false;  // Ends the stream; others end on a byte, with an empty stored block.
};

// The most bytes that DeflateOneBlock makes of `data_bytes`.
size_t DeflateBlockBound(size_t data_bytes);

// Raw deflate of `data` into `out`, which has DeflateBlockBound() bytes; returns how many were
// made. `dictionary` is the 32 KiB at most before `data` in the stream. Polls `stop` every 128 KiB.
Result<size_t> DeflateOneBlock(std::span<const uint8_t> dictionary, std::span<const uint8_t> data,
                               const DeflateBlockOptions& options, const StopToken& stop,
                               std::span<uint8_t> out);

}  // namespace pixpress
