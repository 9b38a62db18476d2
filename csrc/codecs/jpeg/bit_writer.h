#pragma once
// Bits into entropy-coded data, from the highest of each byte on, with the byte stuffing.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/status.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {

// Packs bits into memory that is known to suffice, 8 bytes beyond the last one included. Small, to
// be copied into registers.
class JpegBitPacker {
 public:
  JpegBitPacker() = default;
  explicit JpegBitPacker(uint8_t* next) : next_(next) {}

  // `count` is at most 28, and may be 0; `bits` has no higher ones.
  void Put(uint64_t bits, uint32_t count) {
    Add(bits, count);
    Flush();
  }
  // The same in two steps: Add may be called twice before Flush.
  void Add(uint64_t bits, uint32_t count) {
    reservoir_ = reservoir_ << count | bits;
    used_ += count;
  }
  void Flush() {
    uint64_t word = reservoir_ << ((64 - used_) & 63);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    std::memcpy(next_, &word, sizeof word);
    next_ += used_ >> 3;
    used_ &= 7;
  }
  // Fill the last byte with ones.
  void Finish() {
    if (used_ > 0) Put((1u << (8 - used_)) - 1, 8 - used_);
  }
  // The whole bytes have been taken: go on at `next`.
  void Rewind(uint8_t* next) { next_ = next; }
  uint8_t* next() const { return next_; }
  // Of the byte at next().
  uint32_t used_bits() const { return used_; }

 private:
  uint8_t* next_ = nullptr;
  uint64_t reservoir_ = 0;  // Above the used bits lie old ones.
  uint32_t used_ = 0;
};

// Moves packed bits into a chain, stuffed. Used by one thread; the chain outlives it.
class JpegBitWriter {
 public:
  // What is packed between two calls of Flush fits in this.
  static constexpr size_t kMostBytes = 16 << 10;

  Status Start(Meter& meter, ByteChain* out);
  static uint64_t MemoryBytes();

  JpegBitPacker& packer() { return packer_; }
  // Cheap unless enough has gathered.
  Status Flush() {
    return static_cast<size_t>(packer_.next() - buffer_.data()) < kMostBytes ? Status() : Stuff();
  }
  // Bits that were packed elsewhere, with room for 8 bytes more to be read after them.
  Status Append(const uint8_t* packed, uint64_t bits);
  // Fill the last byte and flush all.
  Status Finish();

 private:
  Status Stuff();

  JpegBitPacker packer_;
  Buffer buffer_;
  ByteChain* out_ = nullptr;
};

}  // namespace pixpress
