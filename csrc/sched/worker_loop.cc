// The loop of a worker: pop, run, help, look out, sleep.

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "sched/worker_pool_state.h"

namespace pixpress {
namespace {

// How long an idle worker looks for work before it sleeps, and after it helped: a job that split
// its work once will soon do so again.
constexpr int64_t kLingerNs = 50'000;
constexpr int64_t kHelperLingerNs = 300'000;
// How long a job looks out for the end of its last helper before it sleeps.
constexpr int64_t kRecallNs = 100'000;

// Tells the CPU that this thread spins.
void PauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

void WorkerPool::State::Work(uint32_t worker_id) {
  runner->OnWorkerStarted(worker_id);
  std::unique_lock lock(mutex);
  --coming;
  int64_t linger_ns = kLingerNs;
  while (!is_stopped) {
    if (std::optional<TaskQueue::Entry> entry = PopLocked()) {
      if (!RunTask(lock, *entry, worker_id)) return;
    } else if (Loan* loan = loans.Join()) {
      Help(lock, loan);
      linger_ns = kHelperLingerNs;
    } else if (!Sleep(lock, std::exchange(linger_ns, kLingerNs))) {
      break;
    }
  }
  --workers;
  lock.unlock();
  runner->OnWorkerEnded(worker_id);
  lock.lock();
  places[worker_id].phase = WorkerPlace::Phase::kEnded;
}

std::optional<TaskQueue::Entry> WorkerPool::State::PopLocked() {
  if (queue.empty() || busy >= concurrency) return std::nullopt;
  const size_t most_parked = size_t{2} * limits.max_workers;
  std::optional<TaskQueue::Entry> entry;
  // With enough tasks known not to fit, trying more would only read files for nothing.
  if (queue.blocked_size() < most_parked) {
    entry = queue.PopFirst(can_run, 2 * most_parked + 16);
  }
  // Behind many that do not fit there may still be the one that memory was set aside for.
  if (!entry.has_value()) entry = queue.PopFirstBlocked(can_run);
  return entry;
}

// False if the worker was given up meanwhile: then it must end, and touch nothing more.
bool WorkerPool::State::RunTask(std::unique_lock<std::mutex>& lock, TaskQueue::Entry entry,
                                uint32_t worker_id) {
  ++busy;
  places[worker_id].info.task = entry.id;
  places[worker_id].info.task_since_ns = clock.NowNs();
  // Whoever takes a task sees to the next one: pushes need not wake more than one worker.
  if (!queue.empty()) CallWorkersLocked(1);
  lock.unlock();
  const RunOutcome outcome = runner->Run(entry, worker_id, parallel);
  lock.lock();
  WorkerPlace& place = places[worker_id];
  if (place.phase != WorkerPlace::Phase::kRunning && place.phase != WorkerPlace::Phase::kEmpty) {
    if (place.phase == WorkerPlace::Phase::kStuck) place.phase = WorkerPlace::Phase::kEnded;
    --stuck;
    return false;
  }
  place.info.task = 0;
  --busy;
  if (outcome != RunOutcome::kBlocked) return true;
  if (entry.blocked_since_ns == 0) entry.blocked_since_ns = std::max<int64_t>(clock.NowNs(), 1);
  queue.Push(entry);
  return true;
}

void WorkerPool::State::Help(std::unique_lock<std::mutex>& lock, Loan* loan) {
  const uint64_t calls_before = calls.load(std::memory_order_relaxed);
  ++helping;
  lock.unlock();
  loan->Work([&] { return calls.load(std::memory_order_relaxed) != calls_before; });
  lock.lock();
  --helping;
  loans.Leave(loan);
  if (!loans.HasHelpers(*loan)) loan_ended.notify_all();
}

// Waking a thread takes longer than most helpers do.
void WorkerPool::State::Recall(Loan* loan) {
  std::unique_lock lock(mutex);
  loans.Close(loan);
  if (!loans.HasHelpers(*loan)) return;
  const int64_t end_ns = Clock::System().NowNs() + kRecallNs;
  while (loans.HasHelpers(*loan) && Clock::System().NowNs() < end_ns) {
    lock.unlock();
    for (int i = 0; i < 32; ++i) PauseCpu();
    lock.lock();
  }
  loan_ended.wait(lock, [&] { return !loans.HasHelpers(*loan); });
}

// Look for work a moment longer: putting a thread to sleep and waking it costs more than a tiny
// task. One worker does so; more would only take time from those who bring work.
bool WorkerPool::State::Linger(std::unique_lock<std::mutex>& lock, int64_t linger_ns) {
  if (is_lingering) return false;
  is_lingering = true;
  const auto reasons = [&] {
    return calls.load(std::memory_order_relaxed) + offers.load(std::memory_order_relaxed);
  };
  const uint64_t reasons_before = reasons();
  lock.unlock();
  const int64_t end_ns = Clock::System().NowNs() + linger_ns;
  bool is_called = false;
  while (!is_called && Clock::System().NowNs() < end_ns) {
    for (int i = 0; i < 32; ++i) PauseCpu();
    is_called = reasons() != reasons_before;
  }
  lock.lock();
  is_lingering = false;
  return is_called || reasons() != reasons_before;
}

// False if the worker has been idle for too long and is not needed.
bool WorkerPool::State::Sleep(std::unique_lock<std::mutex>& lock, int64_t linger_ns) {
  if (Linger(lock, linger_ns)) return true;
  const int64_t idle_since_ns = clock.NowNs();
  ++sleeping;
  if (workers > limits.min_workers) {
    wake.wait_for(lock, std::chrono::nanoseconds(limits.idle_timeout_ns));
  } else {
    wake.wait(lock);
  }
  --sleeping;
  if (waking > 0) {
    // Awake for whatever reason, this worker looks at the queue now, as the called one would.
    --waking;
    --coming;
    return true;
  }
  return !MayEndWorker(workers, limits, idle_since_ns, clock.NowNs());
}

}  // namespace pixpress
