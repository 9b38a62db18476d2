#include "memory/budget.h"

#include <algorithm>

#include "memory/buffer.h"

namespace pixpress {

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::Release() {
  if (budget_ == nullptr) return;
  std::exchange(budget_, nullptr)->Return(std::exchange(bytes_, 0));
}

size_t MemoryBudget::FreeForLocked(uint64_t job_id) const {
  const bool is_claimant = claimant_ != 0 && job_id == claimant_;
  const size_t taken = used_bytes_ + (is_claimant ? 0 : set_aside_bytes_);
  return limit_bytes_ > taken ? limit_bytes_ - taken : 0;
}

std::optional<Reservation> MemoryBudget::TryReserve(uint64_t job_id, size_t bytes) {
  bool frees_others = false;
  {
    const std::lock_guard lock(mutex_);
    if (bytes > FreeForLocked(job_id)) return std::nullopt;
    used_bytes_ += bytes;
    if (claimant_ != 0 && job_id == claimant_) {
      frees_others = set_aside_bytes_ > bytes;
      claimant_ = 0;
      claim_bytes_ = 0;
      set_aside_bytes_ = 0;
    }
  }
  if (buffers_ != nullptr) buffers_->Reserve(bytes);
  if (frees_others && on_freed_) on_freed_();
  return Reservation(this, bytes);
}

bool MemoryBudget::Fits(uint64_t job_id, size_t bytes) const {
  const std::lock_guard lock(mutex_);
  return bytes <= FreeForLocked(job_id);
}

bool MemoryBudget::Claim(uint64_t job_id, size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (claimant_ != 0) return claimant_ == job_id;
  // What can never be collected would only be kept from the others.
  if (job_id == 0 || bytes > limit_bytes_) return false;
  claimant_ = job_id;
  claim_bytes_ = bytes;
  return true;
}

void MemoryBudget::Unclaim(uint64_t job_id) {
  {
    const std::lock_guard lock(mutex_);
    if (claimant_ == 0 || claimant_ != job_id) return;
    claimant_ = 0;
    claim_bytes_ = 0;
    set_aside_bytes_ = 0;
  }
  if (on_freed_) on_freed_();
}

void MemoryBudget::SetLimit(size_t limit_bytes) {
  bool has_grown = false;
  {
    const std::lock_guard lock(mutex_);
    has_grown = limit_bytes > limit_bytes_;
    limit_bytes_ = limit_bytes;
    const size_t unused = limit_bytes > used_bytes_ ? limit_bytes - used_bytes_ : 0;
    set_aside_bytes_ = std::min(set_aside_bytes_, unused);
  }
  if (buffers_ != nullptr) buffers_->SetLimit(limit_bytes);
  if (has_grown && on_freed_) on_freed_();
}

void MemoryBudget::Return(size_t bytes) {
  if (buffers_ != nullptr) buffers_->Unreserve(bytes);
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
    if (claimant_ != 0) {
      const size_t unused = limit_bytes_ > used_bytes_ ? limit_bytes_ - used_bytes_ : 0;
      set_aside_bytes_ = std::min({set_aside_bytes_ + bytes, claim_bytes_, unused});
    }
  }
  if (on_freed_) on_freed_();
}

size_t MemoryBudget::limit_bytes() const {
  const std::lock_guard lock(mutex_);
  return limit_bytes_;
}

size_t MemoryBudget::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

}  // namespace pixpress
