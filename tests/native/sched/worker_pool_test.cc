#include "sched/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
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
  options.min_workers = min_workers;
  options.max_workers = max_workers;
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

}  // namespace
}  // namespace pixpress
