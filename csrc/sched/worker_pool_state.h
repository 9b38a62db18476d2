#pragma once
// What the threads of a WorkerPool share. Private to worker_pool.cc and worker_loop.cc.

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "sched/parallel.h"
#include "sched/worker_pool.h"

namespace pixpress {

// A thread's place in the pool. Places are reused, so worker ids stay below max_workers, but for
// those that stand in for stuck ones.
struct WorkerPlace {
  // kEnded: to be joined. kDetached: was stuck when the pool closed, nobody joins it.
  enum class Phase : uint8_t { kEmpty, kRunning, kStuck, kDetached, kEnded };
  Phase phase = Phase::kEmpty;
  pthread_t thread{};
  WorkerInfo info;
};

struct WorkerPool::State final : Lender {
  struct Argument {
    std::shared_ptr<State> state;
    uint32_t worker_id;
  };

  State(const WorkerPoolOptions& pool_options, TaskRunner* task_runner, const Clock& pool_clock);

  void Offer(Loan* loan, size_t helpers) override;
  void Recall(Loan* loan) override;
  bool HasIdle() const override;

  static bool Start(const std::shared_ptr<State>& self);
  static void* ThreadMain(void* argument);
  // The loop of a worker's thread.
  void Work(uint32_t worker_id);
  bool RunTask(std::unique_lock<std::mutex>& lock, TaskQueue::Entry entry, uint32_t worker_id);
  void Help(std::unique_lock<std::mutex>& lock, Loan* loan);
  bool Linger(std::unique_lock<std::mutex>& lock, int64_t linger_ns);
  bool Sleep(std::unique_lock<std::mutex>& lock, int64_t linger_ns);
  std::optional<TaskQueue::Entry> PopLocked();
  void CallWorkersLocked(size_t wanted);
  void StopLocked();
  void Join();

  const int nice;
  const size_t stack_bytes;
  TaskRunner* const runner;
  const Clock& clock;
  const TaskQueue::Fits can_run;
  LentParallel parallel;
  std::weak_ptr<State> self;

  // Counts reasons to look at the queue; helpers poll it between two bodies.
  std::atomic<uint64_t> calls{0};
  // Counts loans, for whoever looks out without sleeping.
  std::atomic<uint64_t> offers{0};
  mutable std::mutex mutex;  // Guards all below.
  std::condition_variable wake;
  std::condition_variable loan_ended;
  ScaleLimits limits;
  uint32_t concurrency;
  TaskQueue queue;
  LoanBook loans;
  std::vector<WorkerPlace> places;
  uint32_t workers = 0;
  uint32_t busy = 0;
  uint32_t stuck = 0;
  uint32_t helping = 0;  // With a loan.
  uint32_t sleeping = 0;
  uint32_t coming = 0;        // Woken or started, but not yet looking at the queue.
  uint32_t waking = 0;        // Those of them that are still counted as sleeping.
  bool is_lingering = false;  // A worker looks out for calls without sleeping.
  bool is_stopped = false;
};

}  // namespace pixpress
