#pragma once
// One thread that does what is due, and otherwise sleeps.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace pixpress {

inline constexpr int64_t kNeverNs = std::numeric_limits<int64_t>::max();

// Thread-safe. `tick` does what is due and says when the next thing is, by the clock (kNeverNs: not
// before WakeBy). It is called at once, and never on two threads.
class TimerThread {
 public:
  TimerThread(const Clock& clock, std::function<int64_t()> tick);
  ~TimerThread() { Stop(); }
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  // See to it that `tick` is called at `due_ns` at the latest. Cheap when it would be anyway.
  void WakeBy(int64_t due_ns);
  // Blocks until a tick that is under way has ended. No tick comes after it.
  void Stop();

 private:
  void Loop();

  const Clock& clock_;
  const std::function<int64_t()> tick_;
  std::mutex mutex_;  // Guards all below but the thread.
  std::condition_variable changed_;
  int64_t due_ns_ = 0;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace pixpress
