#include "codecs/jpeg/bit_writer.h"

#include <algorithm>

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

Status JpegBitWriter::Append(const uint8_t* packed, uint64_t bits) {
  constexpr size_t kStepBytes = 3, kStepsAtATime = kMostBytes / kStepBytes;
  const auto load = [](const uint8_t* from) {
    return uint32_t{from[0]} << 16 | uint32_t{from[1]} << 8 | from[2];
  };
  for (uint64_t steps = bits / (8 * kStepBytes); steps > 0;) {
    const uint64_t count = std::min<uint64_t>(steps, kStepsAtATime);
    JpegBitPacker packer = packer_;
    for (uint64_t i = 0; i < count; ++i, packed += kStepBytes) packer.Put(load(packed), 24);
    packer_ = packer;
    steps -= count;
    PIXPRESS_RETURN_IF_ERROR(Flush());
  }
  const auto rest = static_cast<uint32_t>(bits % (8 * kStepBytes));
  if (rest > 0) packer_.Put(load(packed) >> (24 - rest), rest);
  return Flush();
}

Status JpegBitWriter::Finish() {
  packer_.Finish();
  return Stuff();
}

}  // namespace pixpress
