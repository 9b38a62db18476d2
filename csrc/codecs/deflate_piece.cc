#include "codecs/deflate_block.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

namespace pixpress {
namespace {

constexpr size_t kFeedBytes = 128u << 10;
constexpr int kRawWindowBits = -15;
constexpr int kMemoryLevel = 8;

}  // namespace

// zlib's own bound for any strategy, and the empty block.
size_t DeflateBlockBound(size_t data_bytes) {
  return data_bytes + data_bytes / 8 + data_bytes / 64 + 64;
}

Result<size_t> DeflateOneBlock(std::span<const uint8_t> dictionary, std::span<const uint8_t> data,
                               const DeflateBlockOptions& options, const StopToken& stop,
                               std::span<uint8_t> out) {
  z_stream zlib = {};
  const int strategy = options.is_huffman_only ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY;
  if (deflateInit2(&zlib, options.level, Z_DEFLATED, kRawWindowBits, kMemoryLevel, strategy) !=
      Z_OK) {
    return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&zlib, deflateEnd);
  if (!dictionary.empty() && deflateSetDictionary(&zlib, dictionary.data(),
                                                  static_cast<uInt>(dictionary.size())) != Z_OK) {
    return Status(StatusCode::kInternal, "zlib refuses the dictionary");
  }
  size_t made = 0;
  for (size_t at = 0; at < data.size();) {
    PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    const size_t feed = std::min(kFeedBytes, data.size() - at);
    zlib.next_in = const_cast<uint8_t*>(data.data() + at);
    zlib.avail_in = static_cast<uInt>(feed);
    at += feed;
    const bool is_end = at == data.size();
    const size_t room = std::min<size_t>(out.size() - made, 1u << 30);
    zlib.next_out = out.data() + made;
    zlib.avail_out = static_cast<uInt>(room);
    const int state = deflate(&zlib, !is_end           ? Z_NO_FLUSH
                                     : options.is_last ? Z_FINISH
                                                       : Z_SYNC_FLUSH);
    made += room - zlib.avail_out;
    const bool is_done = is_end && options.is_last ? state == Z_STREAM_END : state == Z_OK;
    if (!is_done || zlib.avail_in != 0 || zlib.avail_out == 0) {
      return Status(StatusCode::kInternal, "zlib makes more than its bound");
    }
  }
  return made;
}

}  // namespace pixpress
