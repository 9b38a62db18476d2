#pragma once
// One piece of a deflate stream that others precede and follow, as pigz makes them. A piece that is
// not the last ends on a byte, with an empty stored block.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/stop_token.h"

namespace pixpress {

// The most bytes that zlib, libdeflate and the functions below make of `data_bytes`.
size_t DeflateBound(size_t data_bytes);

// Raw deflate of `data` with Huffman codes alone into `out`, which has DeflateBound() bytes;
// returns how many were made. Polls `stop` every 128 KiB.
Result<size_t> DeflateHuffmanOnly(std::span<const uint8_t> data, bool is_last,
                                  const StopToken& stop, std::span<uint8_t> out);

// Makes the raw deflate stream in the first `stream_bytes` of `stream` a piece that others may
// follow: its last block is marked as any other. Returns the new size: 5 bytes more at most.
Result<size_t> OpenDeflateEnd(std::span<uint8_t> stream, size_t stream_bytes);

}  // namespace pixpress
