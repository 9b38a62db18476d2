#include "memory/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <new>
#include <string>

#include "memory/meter.h"

namespace pixpress {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMappedBytes = 64u << 10;  // Blocks from here on are mapped.
constexpr size_t kHugeBytes = 4u << 20;     // And from here on, in huge pages if there are any.

uint8_t* TakeFromOs(size_t capacity) {
  if (capacity < kMappedBytes) {
    return static_cast<uint8_t*>(
        ::operator new (capacity, std::align_val_t{kAlignment}, std::nothrow));
  }
  void* block = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return nullptr;
  // Only a hint: it fails where the system has no such pages.
  if (capacity >= kHugeBytes) static_cast<void>(madvise(block, capacity, MADV_HUGEPAGE));
  return static_cast<uint8_t*>(block);
}

void GiveToOs(uint8_t* data, size_t capacity) {
  if (capacity < kMappedBytes) {
    ::operator delete (data, std::align_val_t{kAlignment});
  } else {
    munmap(data, capacity);
  }
}

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    pool_ = std::exchange(other.pool_, nullptr);
    meter_ = std::exchange(other.meter_, nullptr);
  }
  return *this;
}

void Buffer::Release() {
  if (data_ == nullptr) return;
  if (meter_ != nullptr) meter_->Return(capacity_);
  pool_->Return(data_, capacity_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  pool_ = nullptr;
  meter_ = nullptr;
}

BufferPool::BufferPool(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

BufferPool::~BufferPool() { Trim(0); }

size_t BufferPool::CapacityFor(size_t size_bytes) {
  if (size_bytes <= kAlignment) return size_bytes == 0 ? 0 : kAlignment;
  if (size_bytes > std::numeric_limits<size_t>::max() / 4) return size_bytes;
  // Small blocks waste up to a quarter, mapped ones up to a sixteenth.
  const size_t steps = size_bytes < kMappedBytes ? 4 : 16;
  const size_t step = std::max(kAlignment, std::bit_floor(size_bytes) / steps);
  return (size_bytes + step - 1) / step * step;
}

Result<Buffer> BufferPool::Allocate(size_t size_bytes) {
  Buffer buffer;
  if (size_bytes == 0) return buffer;
  const size_t capacity = CapacityFor(size_bytes);
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(mutex_);
    live_bytes_ += capacity;
    buffer.data_ = TakeRetainedLocked(capacity);
    dropped = TrimLocked(RetainableLocked());
  }
  GiveBack(dropped);
  if (buffer.data_ == nullptr) buffer.data_ = TakeFromOs(capacity);
  if (buffer.data_ == nullptr) {
    const std::lock_guard lock(mutex_);
    live_bytes_ -= capacity;
    return Status(StatusCode::kMemoryLimit,
                  "the system has no " + std::to_string(capacity) + " bytes of memory", ENOMEM);
  }
  buffer.size_ = size_bytes;
  buffer.capacity_ = capacity;
  buffer.pool_ = this;
  return buffer;
}

uint8_t* BufferPool::TakeRetainedLocked(size_t capacity) {
  const auto list = std::ranges::lower_bound(free_, capacity, {}, &FreeList::capacity_bytes);
  if (list == free_.end() || list->capacity_bytes != capacity || list->blocks.empty()) {
    return nullptr;
  }
  uint8_t* data = list->blocks.back();
  list->blocks.pop_back();
  retained_bytes_ -= capacity;
  return data;
}

void BufferPool::Return(uint8_t* data, size_t capacity) {
  {
    const std::lock_guard lock(mutex_);
    live_bytes_ -= capacity;
    if (retained_bytes_ + capacity <= RetainableLocked()) {
      auto list = std::ranges::lower_bound(free_, capacity, {}, &FreeList::capacity_bytes);
      if (list == free_.end() || list->capacity_bytes != capacity) {
        list = free_.insert(list, FreeList{capacity, {}});
      }
      list->blocks.push_back(data);
      retained_bytes_ += capacity;
      return;
    }
  }
  GiveToOs(data, capacity);
}

size_t BufferPool::RetainableLocked() const {
  const size_t used_bytes = std::max(live_bytes_, reserved_bytes_);
  return limit_bytes_ > used_bytes ? limit_bytes_ - used_bytes : 0;
}

std::vector<BufferPool::Block> BufferPool::TrimLocked(size_t keep_bytes) {
  std::vector<Block> dropped;
  for (auto list = free_.rbegin(); list != free_.rend() && retained_bytes_ > keep_bytes; ++list) {
    while (!list->blocks.empty() && retained_bytes_ > keep_bytes) {
      dropped.push_back({list->blocks.back(), list->capacity_bytes});
      list->blocks.pop_back();
      retained_bytes_ -= list->capacity_bytes;
    }
  }
  return dropped;
}

size_t BufferPool::GiveBack(const std::vector<Block>& blocks) {
  size_t bytes = 0;
  for (const Block& block : blocks) {
    GiveToOs(block.data, block.capacity_bytes);
    bytes += block.capacity_bytes;
  }
  return bytes;
}

size_t BufferPool::Trim(size_t keep_bytes) {
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped = TrimLocked(keep_bytes);
  }
  return GiveBack(dropped);
}

void BufferPool::SetLimit(size_t limit_bytes) {
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(mutex_);
    limit_bytes_ = limit_bytes;
    dropped = TrimLocked(RetainableLocked());
  }
  GiveBack(dropped);
}

void BufferPool::Reserve(size_t bytes) {
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(mutex_);
    reserved_bytes_ += bytes;
    dropped = TrimLocked(RetainableLocked());
  }
  GiveBack(dropped);
}

void BufferPool::Unreserve(size_t bytes) {
  const std::lock_guard lock(mutex_);
  reserved_bytes_ -= bytes;
}

size_t BufferPool::live_bytes() const {
  const std::lock_guard lock(mutex_);
  return live_bytes_;
}

size_t BufferPool::retained_bytes() const {
  const std::lock_guard lock(mutex_);
  return retained_bytes_;
}

}  // namespace pixpress
