#pragma once
// Which failures are tried again, when, and how many: pure functions and values.

#include <cstdint>

#include "base/clock.h"
#include "base/status.h"

namespace pixpress {

struct RetryOptions {
  uint32_t max_retries = 3;
  int64_t first_delay_ns = kNsPerSecond;
  double backoff_multiplier = 2.0;
  int64_t longest_delay_ns = 30 * kNsPerSecond;
};

// May the same attempt succeed later? Only for trouble of the system that passes: descriptors or
// memory that ran out, time-outs and stale handles of file systems. A missing file is worth it only
// if it `was_there` at submission. Never what the image itself is to blame for, nor a full disk or
// missing rights.
bool IsRetryable(StatusCode code, int sys_errno, bool was_there);

// The longest delay before retry `retry` (0 is the first): first_delay x multiplier^retry, capped.
int64_t RetryCeilingNs(const RetryOptions& options, uint32_t retry);

// The delay itself: the ceiling times `random` in [0, 1) (full jitter, so that tasks that failed
// together do not come back together).
int64_t RetryDelayNs(const RetryOptions& options, uint32_t retry, double random);

// Keeps a broken disk from multiplying the load: retries are at most a tenth of the tasks, with
// some to spare. Not thread-safe.
class RetryBudget {
 public:
  void OnSubmit() { ++submitted_; }
  // True, and counted, if there is one more to give.
  bool Take();

 private:
  uint64_t submitted_ = 0;
  uint64_t retried_ = 0;
};

// A small random source (SplitMix64): the same seed gives the same delays. Not thread-safe.
class Jitter {
 public:
  explicit Jitter(uint64_t seed) : state_(seed) {}
  double Next();  // In [0, 1).

 private:
  uint64_t state_;
};

}  // namespace pixpress
