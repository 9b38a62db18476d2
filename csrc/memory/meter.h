#pragma once
// What one job holds: its buffers, and what codec libraries hold for it.

#include <atomic>
#include <cstddef>

#include "base/status.h"
#include "memory/buffer.h"

namespace pixpress {

// Thread-safe; lives as long as the job, longer than every buffer it gave out.
class Meter {
 public:
  explicit Meter(BufferPool& pool) : pool_(pool) {}
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // A pooled buffer charged to this job.
  Result<Buffer> Allocate(size_t size_bytes);

  // Charge or return bytes that a library holds outside of the pool.
  void Charge(size_t bytes);
  void Return(size_t bytes) { current_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  size_t current_bytes() const { return current_bytes_.load(std::memory_order_relaxed); }
  size_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }

 private:
  BufferPool& pool_;
  std::atomic<size_t> current_bytes_{0};
  std::atomic<size_t> peak_bytes_{0};
};

}  // namespace pixpress
