#include "sched/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <semaphore>
#include <thread>
#include <vector>

namespace pixpress {
namespace {

TaskQueue::Entry Task(TaskId id) {
  TaskQueue::Entry entry;
  entry.id = id;
  return entry;
}

WorkerPoolOptions Workers(uint32_t min_workers, uint32_t max_workers) {
  WorkerPoolOptions options;
  options.scale.min_workers = min_workers;
  options.scale.max_workers = max_workers;
  return options;
}

class CountingRunner : public TaskRunner {
 public:
  RunOutcome Run(TaskQueue::Entry& entry, uint32_t, Parallel& parallel) override {
    // Every third task does not fit at first, every fifth splits its work.
    if (entry.id % 3 == 0 && entry.known_bytes == 0) {
      entry.known_bytes = 7;
      return RunOutcome::kBlocked;
    }
    if (entry.id % 5 == 0) {
      const Status status = parallel.For(8, [&](size_t) {
        ++bodies;
        return Status();
      });
      if (!status.ok()) ++failures;
    }
    if (++ended == expected) all_ended.release();
    return RunOutcome::kEnded;
  }
  bool CanRun(const TaskQueue::Entry&) override { return is_open; }

  std::atomic<int> ended{0}, bodies{0}, failures{0};
  std::atomic<bool> is_open{true};
  int expected = 0;
  std::binary_semaphore all_ended{0};
};

TEST(WorkerPool, RunsEveryTaskOnceUnderStress) {
  CountingRunner runner;
  runner.expected = 20'000;
  WorkerPool pool(Workers(1, 8), &runner, Clock::System());
  std::vector<std::thread> pushers;
  for (int t = 0; t < 4; ++t) {
    pushers.emplace_back([&pool, t] {
      for (TaskId i = 1; i <= 5000; ++i) pool.Push(Task(t * 5000 + i));
    });
  }
  for (std::thread& pusher : pushers) pusher.join();
  runner.all_ended.acquire();
  EXPECT_EQ(runner.ended, 20'000);
  EXPECT_EQ(runner.bodies, 4000 * 8);
  EXPECT_EQ(runner.failures, 0);
  EXPECT_EQ(pool.queued(), 0u);
  EXPECT_LE(pool.workers(), 8u);
}

TEST(WorkerPool, EndsWithTasksStillQueued) {
  CountingRunner runner;
  runner.is_open = false;
  WorkerPool pool(Workers(2, 2), &runner, Clock::System());
  for (TaskId id = 1; id <= 100; ++id) pool.Push(Task(id));
  EXPECT_EQ(pool.queued(), 100u);
  EXPECT_TRUE(pool.Remove(50));
  EXPECT_FALSE(pool.Remove(50));
}

TEST(WorkerPool, ReconsiderRunsWhatCouldNotRunBefore) {
  CountingRunner runner;
  runner.is_open = false;
  runner.expected = 50;
  WorkerPool pool(Workers(2, 2), &runner, Clock::System());
  for (TaskId id = 1; id <= 50; ++id) pool.Push(Task(id));
  EXPECT_EQ(runner.ended, 0);
  runner.is_open = true;
  pool.Reconsider();
  runner.all_ended.acquire();
  EXPECT_EQ(runner.ended, 50);
}

// Tasks with odd ids hang until released.
class HangingRunner : public TaskRunner {
 public:
  RunOutcome Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel&) override {
    if (entry.id % 2 == 1) {
      hanging_worker = worker_id;
      hangs.release();
      let_go.acquire();
      let_go.release();
    } else {
      ended.release();
    }
    return RunOutcome::kEnded;
  }
  bool CanRun(const TaskQueue::Entry&) override { return true; }
  bool MayStart(uint32_t workers, size_t waiting, const ScaleLimits& limits) override {
    return may_grow && TaskRunner::MayStart(workers, waiting, limits);
  }
  void OnWorkerStarted(uint32_t) override { started.release(); }
  void OnWorkerEnded(uint32_t) override { worker_ended.release(); }

  std::atomic<bool> may_grow{true};
  std::atomic<uint32_t> hanging_worker{0};
  std::counting_semaphore<> hangs{0}, let_go{0}, ended{0}, started{0}, worker_ended{0};
};

TEST(WorkerPool, AnAbandonedWorkerIsReplacedAndNeverHoldsUpTheEnd) {
  // The thread that hangs uses it after the test.
  static auto& runners = *new std::list<HangingRunner>;
  HangingRunner& runner = runners.emplace_back();
  {
    WorkerPool pool(Workers(1, 1), &runner, Clock::System());
    pool.Push(Task(1));
    runner.hangs.acquire();
    pool.Push(Task(2));
    EXPECT_FALSE(pool.Abandon(runner.hanging_worker, 2));
    EXPECT_TRUE(pool.Abandon(runner.hanging_worker, 1));
    EXPECT_FALSE(pool.Abandon(runner.hanging_worker, 1));
    runner.ended.acquire();
    EXPECT_EQ(pool.stuck_workers(), 1u);
    EXPECT_EQ(pool.workers(), 1u);
    const std::vector<WorkerInfo> workers = pool.Workers();
    ASSERT_EQ(workers.size(), 2u);
    EXPECT_TRUE(workers[0].is_stuck);
    EXPECT_EQ(workers[0].task, 1u);
    EXPECT_FALSE(workers[1].is_stuck);
  }
  runner.worker_ended.acquire();  // The replacement has ended, the stuck one still hangs.
  runner.let_go.release();
}

TEST(WorkerPool, AnAbandonedWorkerThatReturnsEnds) {
  HangingRunner runner;
  WorkerPool pool(Workers(1, 1), &runner, Clock::System());
  pool.Push(Task(1));
  runner.hangs.acquire();
  EXPECT_TRUE(pool.Abandon(0, 1));
  runner.let_go.release();
  while (pool.stuck_workers() > 0) std::this_thread::yield();
  EXPECT_EQ(pool.workers(), 1u);
  pool.Push(Task(2));
  runner.ended.acquire();
}

TEST(WorkerPool, GrowsOnlyAsTheRunnerAllows) {
  HangingRunner runner;
  runner.may_grow = false;
  WorkerPool pool(Workers(1, 3), &runner, Clock::System());
  pool.Push(Task(1));
  runner.hangs.acquire();
  pool.Push(Task(2));
  EXPECT_EQ(pool.workers(), 1u);
  runner.may_grow = true;
  pool.Reconsider();
  runner.ended.acquire();
  EXPECT_EQ(pool.workers(), 2u);
  runner.let_go.release();
}

TEST(WorkerPool, IdleWorkersAboveTheMinimumEndAndNewLimitsCount) {
  HangingRunner runner;
  WorkerPoolOptions options = Workers(3, 3);
  WorkerPool pool(options, &runner, Clock::System());
  for (int i = 0; i < 3; ++i) runner.started.acquire();
  options.scale.min_workers = 1;
  options.scale.idle_timeout_ns = kNsPerMs;
  pool.SetLimits(options.scale);
  for (int i = 0; i < 2; ++i) runner.worker_ended.acquire();
  EXPECT_EQ(pool.workers(), 1u);
  options.scale.min_workers = 2;
  pool.SetLimits(options.scale);
  runner.started.acquire();
  EXPECT_EQ(pool.workers(), 2u);
}

TEST(WorkerPool, NoMoreTasksRunAtOnceThanTheConcurrency) {
  HangingRunner runner;
  WorkerPool pool(Workers(3, 3), &runner, Clock::System());
  pool.SetConcurrency(1);
  pool.Push(Task(1));
  runner.hangs.acquire();
  pool.Push(Task(2));
  pool.Push(Task(4));
  EXPECT_EQ(pool.queued(), 2u);
  EXPECT_EQ(pool.busy_workers(), 1u);
  pool.SetConcurrency(2);
  runner.ended.acquire();
  runner.ended.acquire();
  runner.let_go.release();
}

}  // namespace
}  // namespace pixpress
