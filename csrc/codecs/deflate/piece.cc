#include "codecs/deflate/piece.h"

#include <algorithm>

#include "codecs/deflate/symbols.h"
#include "codecs/deflate/walk.h"

namespace pixpress {
namespace {

constexpr size_t kMostStoredBytes = 65535;

// Puts blocks one after the other, whatever bit each begins at.
class PieceWriter {
 public:
  PieceWriter(std::span<const uint8_t> stream, std::span<uint8_t> out)
      : stream_(stream), out_(out) {}

  void Put(uint32_t bits, unsigned count) {
    pending_ |= uint64_t{bits} << pending_bits_;
    pending_bits_ += count;
    for (; pending_bits_ >= 8; pending_bits_ -= 8, pending_ >>= 8) {
      if (bytes_ < out_.size()) out_[bytes_] = static_cast<uint8_t>(pending_);
      ++bytes_;
    }
  }
  void Copy(size_t begin, size_t end) {
    while (end - begin >= 32 && bytes_ + 4 <= out_.size()) {
      pending_ |= uint64_t{ReadDeflateBits(stream_, begin, 32)} << pending_bits_;
      for (size_t i = 0; i < 4; ++i) out_[bytes_ + i] = static_cast<uint8_t>(pending_ >> 8 * i);
      pending_ >>= 32;
      bytes_ += 4;
      begin += 32;
    }
    for (unsigned count; begin < end; begin += count) {
      count = static_cast<unsigned>(std::min<size_t>(end - begin, 32));
      Put(ReadDeflateBits(stream_, begin, count), count);
    }
  }
  // Literals in the codes that need no header.
  void PutFixed(std::span<const uint8_t> data, bool is_last) {
    Put(kFixedBlock << 1 | (is_last ? 1 : 0), 3);
    for (const uint8_t byte : data) {
      byte < 144 ? PutCode(0x30u + byte, 8) : PutCode(0x190u + byte - 144, 9);
    }
    PutCode(0, 7);
  }
  void PutStored(std::span<const uint8_t> data, bool is_last) {
    Put(is_last ? 1 : 0, 3);
    Align();
    const auto size = static_cast<uint32_t>(data.size());
    Put(size, 16);
    Put(size ^ kMostStoredBytes, 16);
    for (const uint8_t byte : data) Put(byte, 8);
  }
  void Align() { Put(0, (8 - pending_bits_) % 8); }

  Result<size_t> End() {
    Align();
    if (bytes_ <= out_.size()) return bytes_;
    return Status(StatusCode::kInternal, "a piece of a deflate stream is larger than its bound");
  }

 private:
  // Codes begin with their highest bit.
  void PutCode(uint32_t code, unsigned count) {
    while (count-- > 0) Put(code >> count & 1, 1);
  }

  const std::span<const uint8_t> stream_;
  const std::span<uint8_t> out_;
  size_t bytes_ = 0;
  uint64_t pending_ = 0;
  unsigned pending_bits_ = 0;
};

}  // namespace

// More than libdeflate's own bound, the head of a block that lost its begin, and the empty block.
size_t DeflateBound(size_t data_bytes) {
  return data_bytes + data_bytes / 8 + data_bytes / 64 + 1024;
}

Result<size_t> TakeDeflatePiece(std::span<const uint8_t> stream, size_t known_bytes,
                                std::span<const uint8_t> data, bool is_last,
                                std::span<uint8_t> out) {
  PIXPRESS_ASSIGN_OR_RETURN(const DeflateWalk walk, WalkDeflate(stream, known_bytes));
  PieceWriter writer(stream, out);
  if (walk.data_bytes > 0) {
    writer.PutFixed(data.first(walk.data_bytes), is_last && walk.blocks.empty());
  }
  for (const DeflateBlockPlaces& block : walk.blocks) {
    const bool is_end = is_last && &block == &walk.blocks.back();
    const size_t body = std::max(block.body, walk.cut);
    if (ReadDeflateBits(stream, block.begin + 1, 2) == kStoredBlock) {
      writer.PutStored(stream.subspan(body / 8, (block.end - body) / 8), is_end);
      continue;
    }
    writer.Put(is_end ? 1 : 0, 1);
    writer.Copy(block.begin + 1, block.body);
    writer.Copy(body, block.end);
  }
  if (!is_last) writer.PutStored({}, false);
  return writer.End();
}

}  // namespace pixpress
