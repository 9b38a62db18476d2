#pragma once
// Admission control for pixel memory: a job runs only while it holds a Reservation.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/status.h"

namespace pixpress {

class BufferPool;
class MemoryBudget;

// A share of a MemoryBudget. Move-only; gives its bytes back when destroyed.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept { *this = std::move(other); }
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { Release(); }

  size_t bytes() const { return bytes_; }
  void Release();

 private:
  friend class MemoryBudget;
  Reservation(MemoryBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}

  MemoryBudget* budget_ = nullptr;  // Not owned; outlives every reservation.
  size_t bytes_ = 0;
};

// Thread-safe; never blocks. At most one job, the claimant, has bytes set aside for it: as others
// give bytes back, these collect for the claimant first, so that a big job cannot starve. Others go
// on with what is neither used nor set aside.
class MemoryBudget {
 public:
  // `buffers`, if any, keeps room for what is reserved; not owned, and outlives the budget.
  explicit MemoryBudget(size_t limit_bytes, BufferPool* buffers = nullptr)
      : buffers_(buffers), limit_bytes_(limit_bytes) {}

  // A reservation, or nothing if the bytes are not free now. `job_id` is who asks: the claimant may
  // take what was set aside, and its claim ends with success.
  std::optional<Reservation> TryReserve(uint64_t job_id, size_t bytes);
  // Would TryReserve succeed now?
  bool Fits(uint64_t job_id, size_t bytes) const;

  // Make `job_id` the claimant of `bytes` unless another job is. True if it is the claimant now.
  bool Claim(uint64_t job_id, size_t bytes);
  // End the claim of `job_id`, if it has it: the job was cancelled or failed.
  void Unclaim(uint64_t job_id);

  // Called, without a lock held, whenever bytes come back or the limit grows. Set it once, before
  // the first reservation.
  void SetOnFreed(std::function<void()> on_freed) { on_freed_ = std::move(on_freed); }
  // That of the buffers too. A lower limit takes effect as running jobs end.
  void SetLimit(size_t limit_bytes);

  size_t limit_bytes() const;
  size_t used_bytes() const;

 private:
  friend class Reservation;
  void Return(size_t bytes);
  size_t FreeForLocked(uint64_t job_id) const;

  BufferPool* const buffers_;
  std::function<void()> on_freed_;
  mutable std::mutex mutex_;  // Guards all below.
  size_t limit_bytes_;
  size_t used_bytes_ = 0;
  uint64_t claimant_ = 0;  // 0: none.
  size_t claim_bytes_ = 0;
  size_t set_aside_bytes_ = 0;  // <= claim_bytes_, and used + set aside <= limit.
};

}  // namespace pixpress
