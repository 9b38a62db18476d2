#include "engine/timer_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace pixpress {

TimerThread::TimerThread(const Clock& clock, std::function<int64_t()> tick)
    : clock_(clock), tick_(std::move(tick)) {
  // The thread inherits the mask: signals are for the application's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void TimerThread::Loop() {
  pthread_setname_np(pthread_self(), "pixpress-timer");
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    const int64_t left_ns = due_ns_ == kNeverNs ? kNeverNs : due_ns_ - clock_.NowNs();
    if (left_ns > 0) {
      // In steps: an endless time-out would overflow inside the wait.
      changed_.wait_for(lock, std::chrono::nanoseconds(std::min(left_ns, 3600 * kNsPerSecond)));
      continue;
    }
    due_ns_ = kNeverNs;  // Whoever calls WakeBy during the tick is heard after it.
    lock.unlock();
    const int64_t next_ns = tick_();
    lock.lock();
    due_ns_ = std::min(due_ns_, next_ns);
  }
}

void TimerThread::WakeBy(int64_t due_ns) {
  {
    const std::lock_guard lock(mutex_);
    if (due_ns >= due_ns_) return;
    due_ns_ = due_ns;
  }
  changed_.notify_one();
}

void TimerThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_stopped_, true)) return;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace pixpress
