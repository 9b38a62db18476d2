#pragma once
// Encoded output of unknown length: append-only, in pooled chunks, never moved.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/status.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {

// Owned and used by one thread at a time.
class ByteChain {
 public:
  explicit ByteChain(Meter& meter) : meter_(&meter) {}
  ByteChain(ByteChain&&) = default;
  ByteChain& operator=(ByteChain&&) = default;

  Status Append(std::span<const uint8_t> bytes);
  // Append fails from now on instead of making the chain longer than this, and copies nothing.
  void LimitTo(uint64_t most_bytes) { most_bytes_ = most_bytes; }
  uint64_t left_bytes() const { return most_bytes_ - std::min(size_bytes_, most_bytes_); }
  // Has that happened?
  bool is_beyond_limit() const { return is_beyond_limit_; }
  // All of another chain of the same meter, without a copy; it is empty after that.
  Status Append(ByteChain&& other);
  // For headers that are known last. Moves no bytes.
  Status Prepend(std::span<const uint8_t> bytes);

  // Free space of at least `minimum_bytes` to write into; Commit says how much of it was used.
  Result<std::span<uint8_t>> Reserve(size_t minimum_bytes);
  void Commit(size_t used_bytes);

  uint64_t size_bytes() const { return size_bytes_; }
  void Clear();
  std::vector<std::span<const uint8_t>> chunks() const;
  // `out` holds at least size_bytes().
  void CopyTo(uint8_t* out) const;

 private:
  struct Chunk {
    Buffer buffer;
    size_t used_bytes = 0;
  };
  Status CheckLimit(uint64_t more_bytes);

  Meter* meter_;  // Not owned; outlives the chain.
  std::vector<Chunk> chunks_;
  uint64_t size_bytes_ = 0;
  uint64_t most_bytes_ = std::numeric_limits<uint64_t>::max();
  bool is_beyond_limit_ = false;
};

}  // namespace pixpress
