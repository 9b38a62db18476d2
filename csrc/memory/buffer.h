#pragma once
// Pixel memory: page-aligned blocks that are reused while warm and given back to the OS when cold.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/status.h"

namespace pixpress {

class BufferPool;
class Meter;

// A block of memory, 64-byte aligned, contents undefined at first. Move-only; goes back to its pool
// when destroyed.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { Release(); }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<uint8_t> span() { return {data_, size_}; }
  std::span<const uint8_t> span() const { return {data_, size_}; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  void Release();

 private:
  friend class BufferPool;
  friend class Meter;

  uint8_t* data_ = nullptr;
  size_t size_ = 0;             // As asked for.
  size_t capacity_ = 0;         // As taken from the OS and charged.
  BufferPool* pool_ = nullptr;  // Not owned; outlives every buffer.
  Meter* meter_ = nullptr;      // Not owned; charged until release. Null: nobody is charged.
};

// Thread-safe. Blocks are mapped, kept by size class after use ("retained"), and unmapped by Trim
// or when used + retained bytes would pass the limit. Used is the larger of the live bytes and of
// those that jobs have reserved: libraries take memory of a reservation that is no buffer.
class BufferPool {
 public:
  // `limit_bytes` bounds used + retained bytes by dropping retained blocks; live blocks are bounded
  // by the budget, not here.
  explicit BufferPool(size_t limit_bytes);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();  // Every buffer has been released by now.

  // What a buffer of `size_bytes` is charged: its size class, at most a quarter (from 64 KiB on, a
  // sixteenth) more.
  static size_t CapacityFor(size_t size_bytes);

  // kMemoryLimit if the OS refuses. `size_bytes` 0 gives an empty buffer.
  Result<Buffer> Allocate(size_t size_bytes);

  // Unmap retained blocks, the largest first, until at most `keep_bytes` are retained. Returns the
  // bytes given back.
  size_t Trim(size_t keep_bytes);
  void SetLimit(size_t limit_bytes);
  // Make room for a reservation, or tell that it is over.
  void Reserve(size_t bytes);
  void Unreserve(size_t bytes);

  size_t live_bytes() const;
  size_t retained_bytes() const;

 private:
  friend class Buffer;
  struct FreeList {
    size_t capacity_bytes = 0;
    std::vector<uint8_t*> blocks;
  };
  struct Block {
    uint8_t* data = nullptr;
    size_t capacity_bytes = 0;
  };

  void Return(uint8_t* data, size_t capacity);
  uint8_t* TakeRetainedLocked(size_t capacity);
  size_t RetainableLocked() const;
  // The system calls are made without the lock: unmapping a big block takes a while.
  std::vector<Block> TrimLocked(size_t keep_bytes);
  static size_t GiveBack(const std::vector<Block>& blocks);

  mutable std::mutex mutex_;    // Guards all below.
  std::vector<FreeList> free_;  // By rising capacity.
  size_t limit_bytes_;
  size_t live_bytes_ = 0;
  size_t reserved_bytes_ = 0;
  size_t retained_bytes_ = 0;
};

}  // namespace pixpress
