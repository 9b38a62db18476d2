#pragma once
// The page that a worker process and its parent share while a job runs.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/stop_token.h"

namespace pixpress {

inline constexpr size_t kControlPageBytes = 4096;

// Zeros at first. The child may write anything at any time: the parent checks what it reads.
struct ControlPage {
  std::atomic<StopReason> stop;   // The parent's: end the job.
  std::atomic<uint32_t> lingers;  // The parent's: look out for the next job before sleeping.
  std::atomic<uint32_t> stage;    // The child's, for progress.
  std::atomic<uint32_t> permille;
};
static_assert(sizeof(ControlPage) <= kControlPageBytes);
static_assert(std::atomic<StopReason>::is_always_lock_free);
static_assert(std::atomic<uint32_t>::is_always_lock_free);

}  // namespace pixpress
