#include "engine/commit_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace pixpress {

CommitThread::CommitThread(Commit commit) : commit_(std::move(commit)) {
  // The thread inherits the mask: signals are for the application's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CommitThread::~CommitThread() {
  while (!Stop(3600 * kNsPerSecond)) {
  }
}

void CommitThread::Push(Ending ending) {
  {
    std::unique_lock lock(mutex_);
    if (ending.output.has_value()) {
      left_.wait(lock, [&] { return outputs_ < kMostOutputs; });
      ++outputs_;
    }
    waiting_.push_back(std::move(ending));
  }
  came_.notify_one();
}

void CommitThread::Wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  came_.notify_one();
}

void CommitThread::Loop() {
  pthread_setname_np(pthread_self(), "pixpress-commit");
  std::unique_lock lock(mutex_);
  for (;;) {
    came_.wait(lock, [&] { return is_stopped_ || is_woken_ || !waiting_.empty(); });
    if (is_stopped_ && waiting_.empty()) break;
    is_woken_ = false;
    std::vector<Ending> group = std::exchange(waiting_, {});
    const auto outputs = static_cast<size_t>(std::ranges::count_if(
        group, [](const Ending& ending) { return ending.output.has_value(); }));
    lock.unlock();
    commit_(std::move(group));
    lock.lock();
    outputs_ -= outputs;
    left_.notify_all();
  }
  has_ended_ = true;
  left_.notify_all();
}

bool CommitThread::Stop(int64_t timeout_ns) {
  {
    std::unique_lock lock(mutex_);
    is_stopped_ = true;
    came_.notify_one();
    if (!left_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [&] { return has_ended_; })) {
      return false;
    }
  }
  if (thread_.joinable()) thread_.join();
  return true;
}

}  // namespace pixpress
