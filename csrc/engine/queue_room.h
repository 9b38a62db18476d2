#pragma once
// How much waits in the queue, and who waits for room in it.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace pixpress {

// Not thread-safe; its owner locks, and waits with its own lock.
class QueueRoom {
 public:
  // Of jobs and of the bytes of their inputs; 0: unbounded.
  void SetBounds(size_t most_jobs, uint64_t most_bytes);
  void Enter(uint64_t input_bytes);
  void Leave(uint64_t input_bytes);
  // Wait for `timeout_ns` (negative: for ever) until there is room, or the queue is closed. False
  // if the time is over.
  bool Wait(std::unique_lock<std::mutex>& lock, uint64_t input_bytes, int64_t timeout_ns);
  // From here on nobody waits.
  void Close();
  uint64_t jobs() const { return jobs_; }

 private:
  bool HasRoom(uint64_t input_bytes) const;

  std::condition_variable changed_;
  size_t most_jobs_ = 0;
  uint64_t most_bytes_ = 0;
  uint64_t jobs_ = 0, bytes_ = 0;
  uint32_t waiters_ = 0;
  bool is_closed_ = false;
};

}  // namespace pixpress
