#pragma once
// How a fuzzed decode is stopped, the same way on every machine.

#include <atomic>
#include <cstdint>
#include <ctime>

#include "base/clock.h"

namespace pixpress {

// Of processor time, whatever else the machine does.
inline constexpr int64_t kInputDeadlineNs = 1 * kNsPerSecond;
// What may pass between the deadline and the end of an input.
inline constexpr int64_t kInputGraceNs = 1 * kNsPerSecond;

// The processor time of this process.
class CpuClock final : public Clock {
 public:
  int64_t NowNs() const override {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * kNsPerSecond + now.tv_nsec;
  }
};

// Counts how often it is asked: a deadline of N is over at the Nth poll.
class PollClock final : public Clock {
 public:
  int64_t NowNs() const override { return polls_.fetch_add(1); }

 private:
  mutable std::atomic<int64_t> polls_{0};
};

}  // namespace pixpress
