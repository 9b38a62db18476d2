#include "sched/autoscaler.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

constexpr int64_t kNow = 1000 * kNsPerSecond;

ScaleLimits OneToFour() { return {.min_workers = 1, .max_workers = 4}; }

ScaleSample Waiting(uint32_t workers, double cpu_percent = 10.0) {
  return {.workers = workers,
          .waiting = 5,
          .memory_admits = true,
          .cpu_percent = cpu_percent,
          .cpu_sampled_ns = kNow - kNsPerSecond};
}

TEST(Autoscaler, GrowsUpToTheMaximumWhileTasksWait) {
  for (uint32_t workers = 0; workers < 4; ++workers) {
    EXPECT_TRUE(MayStartWorker(Waiting(workers), OneToFour(), kNow)) << workers;
  }
  EXPECT_FALSE(MayStartWorker(Waiting(4), OneToFour(), kNow));
}

TEST(Autoscaler, DoesNotGrowWithoutWaitingTasksOrWithoutMemory) {
  ScaleSample idle = Waiting(1);
  idle.waiting = 0;
  EXPECT_FALSE(MayStartWorker(idle, OneToFour(), kNow));
  ScaleSample full = Waiting(1);
  full.memory_admits = false;
  EXPECT_FALSE(MayStartWorker(full, OneToFour(), kNow));
}

TEST(Autoscaler, DoesNotGrowAtTheCpuThreshold) {
  EXPECT_TRUE(MayStartWorker(Waiting(1, 89.9), OneToFour(), kNow));
  EXPECT_FALSE(MayStartWorker(Waiting(1, 90.0), OneToFour(), kNow));
}

TEST(Autoscaler, AnOldMeasureOfCpuUseDoesNotCount) {
  ScaleSample sample = Waiting(1, 100.0);
  sample.cpu_sampled_ns = kNow - kCpuSampleNs - 1;
  EXPECT_TRUE(MayStartWorker(sample, OneToFour(), kNow));
  sample.cpu_sampled_ns = 0;
  EXPECT_TRUE(MayStartWorker(sample, OneToFour(), kNow));
}

TEST(Autoscaler, TheMinimumStartsWhateverTheMachineDoes) {
  ScaleSample sample = Waiting(0, 100.0);
  sample.waiting = 0;
  sample.memory_admits = false;
  EXPECT_TRUE(MayStartWorker(sample, OneToFour(), kNow));
}

TEST(Autoscaler, AWorkerEndsOnceItWasIdleForTheTimeoutAndIsNotNeeded) {
  const ScaleLimits limits = OneToFour();
  const int64_t due_ns = kNow - limits.idle_timeout_ns;
  EXPECT_TRUE(MayEndWorker(2, limits, due_ns, kNow));
  EXPECT_FALSE(MayEndWorker(2, limits, due_ns + 1, kNow));
  EXPECT_FALSE(MayEndWorker(1, limits, due_ns, kNow));
  EXPECT_TRUE(MayEndWorker(5, limits, kNow, kNow));
}

TEST(Autoscaler, ConcurrencyFallsUnderPressureAndComesBackStepByStep) {
  const ScaleLimits limits = OneToFour();
  const PressureSample busy = {.other_cpu_percent = 95.0, .memory_free_percent = 50.0};
  const PressureSample quiet = {.other_cpu_percent = 5.0, .memory_free_percent = 50.0};
  Concurrency now = {.limit = 4, .changed_ns = 0};
  int64_t now_ns = kNow;
  std::vector<uint32_t> limits_seen;
  for (int step = 0; step < 5; ++step, now_ns += kConcurrencyStepNs) {
    now = NextConcurrency(now, busy, limits, now_ns);
    limits_seen.push_back(now.limit);
  }
  EXPECT_EQ(limits_seen, (std::vector<uint32_t>{3, 2, 1, 1, 1}));
  now = NextConcurrency(now, quiet, limits, now_ns);
  EXPECT_EQ(now.limit, 2u);
  // Not twice within a step.
  EXPECT_EQ(NextConcurrency(now, quiet, limits, now_ns + kConcurrencyStepNs - 1).limit, 2u);
  EXPECT_EQ(NextConcurrency(now, quiet, limits, now_ns + kConcurrencyStepNs).limit, 3u);
}

TEST(Autoscaler, LittleFreeMemoryLowersConcurrencyToo) {
  const PressureSample sample = {.other_cpu_percent = 0.0, .memory_free_percent = 4.9};
  EXPECT_EQ(NextConcurrency({.limit = 3}, sample, OneToFour(), kNow).limit, 2u);
}

}  // namespace
}  // namespace pixpress
