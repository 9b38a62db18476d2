#include "codecs/deflate_piece.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

namespace pixpress {
namespace {

constexpr size_t kFeedBytes = 128u << 10;
constexpr int kRawWindowBits = -15;
constexpr int kMemoryLevel = 8;
constexpr std::array<uint8_t, 4> kEmptyStored = {0x00, 0x00, 0xFF, 0xFF};
constexpr size_t kStoredHeadBits = 3;

struct BlockBits {
  size_t last_head = 0;  // Where the header of the last block starts.
  size_t end = 0;
};

// Walks over the blocks of a whole stream: only who decodes it knows where they start.
Result<BlockBits> FindLastBlock(std::span<const uint8_t> stream) {
  constexpr int kIsLast = 64;
  constexpr int kIsBlockEnd = 128;
  constexpr int kUnusedBits = 7;
  z_stream zlib = {};
  if (inflateInit2(&zlib, kRawWindowBits) != Z_OK) {
    return Status(StatusCode::kMemoryLimit, "no memory to inflate");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&zlib, inflateEnd);
  zlib.next_in = const_cast<uint8_t*>(stream.data());
  zlib.avail_in = static_cast<uInt>(stream.size());
  std::array<uint8_t, 32u << 10> unread;
  BlockBits bits;
  while (bits.end == 0) {
    zlib.next_out = unread.data();
    zlib.avail_out = static_cast<uInt>(unread.size());
    if (inflate(&zlib, Z_BLOCK) != Z_OK) {
      return Status(StatusCode::kInternal, "a deflate stream cannot be read again");
    }
    if ((zlib.data_type & kIsBlockEnd) == 0) continue;
    const size_t at =
        (stream.size() - zlib.avail_in) * 8 - static_cast<size_t>(zlib.data_type & kUnusedBits);
    ((zlib.data_type & kIsLast) != 0 ? bits.end : bits.last_head) = at;
  }
  return bits;
}

}  // namespace

// zlib's own bound for any strategy, and the empty block.
size_t DeflateBound(size_t data_bytes) {
  return data_bytes + data_bytes / 8 + data_bytes / 64 + 64;
}

Result<size_t> DeflateHuffmanOnly(std::span<const uint8_t> data, bool is_last,
                                  const StopToken& stop, std::span<uint8_t> out) {
  z_stream zlib = {};
  if (deflateInit2(&zlib, 1, Z_DEFLATED, kRawWindowBits, kMemoryLevel, Z_HUFFMAN_ONLY) != Z_OK) {
    return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&zlib, deflateEnd);
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
    const int state = deflate(&zlib, !is_end ? Z_NO_FLUSH : is_last ? Z_FINISH : Z_SYNC_FLUSH);
    made += room - zlib.avail_out;
    const bool is_done = is_end && is_last ? state == Z_STREAM_END : state == Z_OK;
    if (!is_done || zlib.avail_in != 0 || zlib.avail_out == 0) {
      return Status(StatusCode::kInternal, "zlib makes more than its bound");
    }
  }
  return made;
}

Result<size_t> OpenDeflateEnd(std::span<uint8_t> stream, size_t stream_bytes) {
  PIXPRESS_ASSIGN_OR_RETURN(const BlockBits bits, FindLastBlock(stream.first(stream_bytes)));
  uint8_t& head = stream[bits.last_head / 8];
  head = static_cast<uint8_t>(head & ~(1u << bits.last_head % 8));
  // Unused bits of the last byte are 0, as the header of a stored block is.
  const size_t head_end = (bits.end + kStoredHeadBits + 7) / 8;
  if (stream.size() < head_end + kEmptyStored.size()) {
    return Status(StatusCode::kInternal, "no room to end a piece of a deflate stream");
  }
  std::fill(stream.begin() + static_cast<ptrdiff_t>(stream_bytes),
            stream.begin() + static_cast<ptrdiff_t>(head_end), uint8_t{0});
  std::copy(kEmptyStored.begin(), kEmptyStored.end(),
            stream.begin() + static_cast<ptrdiff_t>(head_end));
  return head_end + kEmptyStored.size();
}

}  // namespace pixpress
