#include "codecs/gif/lzw_decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

namespace pixpress {
namespace {

Status Damaged(const char* what) { return Status(StatusCode::kCorruptImage, what); }

}  // namespace

Result<GifLzwDecoder> GifLzwDecoder::Create(Meter& meter) {
  PIXPRESS_ASSIGN_OR_RETURN(Buffer tables, meter.Allocate(sizeof(Tables)));
  return GifLzwDecoder(std::move(tables));
}

uint64_t GifLzwDecoder::MemoryBytes() { return BufferPool::CapacityFor(sizeof(Tables)); }

Status GifLzwDecoder::Start(Bytes data, uint8_t code_bits) {
  if (code_bits < 1 || code_bits > 8) {
    return Status(StatusCode::kCorruptImage,
                  "the LZW code size of a GIF frame is " + std::to_string(code_bits) + " bits");
  }
  data_ = data;
  at_ = 0;
  block_left_ = 0;
  bits_ = 0;
  bit_count_ = 0;
  code_bits_ = code_bits;
  pending_at_ = pending_end_ = 0;
  Tables& tables = *tables_.as<Tables>();
  for (unsigned i = 0; i < 1u << code_bits; ++i) {
    tables.length[i] = 1;
    tables.tail[i] = i;
    tables.first[i] = static_cast<uint8_t>(i);
  }
  Reset();
  return Status();
}

void GifLzwDecoder::Reset() {
  width_ = code_bits_ + 1u;
  next_ = (1u << code_bits_) + 2;
  last_ = -1;
}

// At least the bits of one code, or false at the end of the data.
bool GifLzwDecoder::FillBits() {
  while (bit_count_ < width_) {
    if (block_left_ == 0) {
      if (at_ >= data_.size() || data_[at_] == 0) return false;
      block_left_ = data_[at_++];
    }
    const size_t bytes = std::min<size_t>({block_left_, data_.size() - at_, (64 - bit_count_) / 8});
    if (bytes == 0) return false;
    for (size_t i = 0; i < bytes; ++i, bit_count_ += 8) {
      bits_ |= uint64_t{data_[at_ + i]} << bit_count_;
    }
    at_ += bytes;
    block_left_ -= bytes;
  }
  return true;
}

void GifLzwDecoder::Remember(uint16_t code) {
  if (last_ < 0 || next_ >= kMostCodes) return;
  Tables& tables = *tables_.as<Tables>();
  const uint16_t last = static_cast<uint16_t>(last_);
  // The string that is only now being made begins as the last one did.
  const uint64_t index = code == next_ ? tables.first[last] : tables.first[code];
  const size_t in_tail = tables.length[last] % kWord;
  tables.head[next_] = in_tail == 0 ? last : tables.head[last];
  tables.tail[next_] = in_tail == 0 ? index : tables.tail[last] | index << 8 * in_tail;
  tables.length[next_] = static_cast<uint16_t>(tables.length[last] + 1);
  tables.first[next_] = tables.first[last];
  ++next_;
  if (next_ == 1u << width_ && width_ < kMostBits) ++width_;
}

Result<uint16_t> GifLzwDecoder::NextString() {
  const unsigned clear = 1u << code_bits_;
  while (true) {
    if (!FillBits()) return Damaged("the image data of a GIF frame ends too early");
    const uint16_t code = static_cast<uint16_t>(bits_ & ((1u << width_) - 1));
    bits_ >>= width_;
    bit_count_ -= width_;
    if (code == clear) {
      Reset();
      continue;
    }
    if (code == clear + 1) return Damaged("a GIF frame has fewer pixels than its size");
    const bool is_known = code < clear || (last_ >= 0 && code < next_) ||
                          (last_ >= 0 && code == next_ && next_ < kMostCodes);
    if (!is_known) return Damaged("a GIF frame has an impossible LZW code");
    Remember(code);
    last_ = code;
    return code;
  }
}

void GifLzwDecoder::Expand(uint16_t code, uint8_t* out) {
  static_assert(std::endian::native == std::endian::little);
  const Tables& tables = *tables_.as<Tables>();
  size_t at = (tables.length[code] - 1u) / kWord * kWord;
  std::memcpy(out + at, &tables.tail[code], kWord);
  while (at > 0) {
    at -= kWord;
    code = tables.head[code];
    std::memcpy(out + at, &tables.tail[code], kWord);
  }
}

Status GifLzwDecoder::Read(std::span<uint8_t> out) {
  Tables& tables = *tables_.as<Tables>();
  size_t done = 0;
  while (done < out.size()) {
    if (pending_at_ < pending_end_) {
      const size_t count = std::min(out.size() - done, pending_end_ - pending_at_);
      std::memcpy(out.data() + done, tables.pending.data() + pending_at_, count);
      pending_at_ += count;
      done += count;
      continue;
    }
    PIXPRESS_ASSIGN_OR_RETURN(const uint16_t code, NextString());
    const size_t length = tables.length[code];
    if (length + kWord <= out.size() - done) {
      Expand(code, out.data() + done);
      done += length;
    } else {
      Expand(code, tables.pending.data());
      pending_at_ = 0;
      pending_end_ = length;
    }
  }
  return Status();
}

}  // namespace pixpress
