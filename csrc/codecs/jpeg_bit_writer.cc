#include "codecs/jpeg_bit_writer.h"

namespace pixpress {
namespace {

constexpr size_t kBufferBytes = 2 * JpegBitWriter::kMostBytes + 8;

}  // namespace

uint64_t JpegBitWriter::MemoryBytes() { return BufferPool::CapacityFor(kBufferBytes); }

Status JpegBitWriter::Start(Meter& meter, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(buffer_, meter.Allocate(kBufferBytes));
  packer_ = JpegBitPacker(buffer_.data());
  out_ = out;
  return Status();
}

Status JpegBitWriter::Stuff() {
  const uint8_t* from = buffer_.data();
  size_t left = static_cast<size_t>(packer_.next() - from);
  PIXPRESS_ASSIGN_OR_RETURN(const std::span<uint8_t> space, out_->Reserve(2 * left));
  uint8_t* to = space.data();
  while (left > 0) {
    const void* const found = std::memchr(from, 0xFF, left);
    const size_t plain = found == nullptr ? left : static_cast<const uint8_t*>(found) - from + 1;
    std::memcpy(to, from, plain);
    to += plain;
    from += plain;
    left -= plain;
    if (found != nullptr) *to++ = 0;
  }
  out_->Commit(static_cast<size_t>(to - space.data()));
  packer_.Rewind(buffer_.data());
  return Status();
}

Status JpegBitWriter::Finish() {
  packer_.Finish();
  return Stuff();
}

}  // namespace pixpress
