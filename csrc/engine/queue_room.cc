#include "engine/queue_room.h"

#include <chrono>

namespace pixpress {

void QueueRoom::SetBounds(size_t most_jobs, uint64_t most_bytes) {
  most_jobs_ = most_jobs;
  most_bytes_ = most_bytes;
  changed_.notify_all();
}

void QueueRoom::Enter(uint64_t input_bytes) {
  ++jobs_;
  bytes_ += input_bytes;
}

void QueueRoom::Leave(uint64_t input_bytes) {
  --jobs_;
  bytes_ -= input_bytes;
  if (waiters_ > 0) changed_.notify_all();
}

bool QueueRoom::HasRoom(uint64_t input_bytes) const {
  if (most_jobs_ != 0 && jobs_ >= most_jobs_) return false;
  // A single input larger than the bound still goes in, alone.
  return most_bytes_ == 0 || jobs_ == 0 || bytes_ + input_bytes <= most_bytes_;
}

bool QueueRoom::Wait(std::unique_lock<std::mutex>& lock, uint64_t input_bytes, int64_t timeout_ns) {
  const auto may_go_on = [&] { return is_closed_ || HasRoom(input_bytes); };
  ++waiters_;
  bool is_in_time = true;
  if (timeout_ns < 0) {
    changed_.wait(lock, may_go_on);
  } else {
    is_in_time = changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), may_go_on);
  }
  --waiters_;
  return is_in_time;
}

void QueueRoom::Close() {
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace pixpress
