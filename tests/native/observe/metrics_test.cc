#include "observe/metrics.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pixpress {
namespace {

constexpr int64_t kStart = 500 * kNsPerSecond;

TaskSample Done(int32_t worker_id, uint64_t original, uint64_t compressed) {
  TaskSample sample;
  sample.worker_id = worker_id;
  sample.run_ns = 10 * kNsPerMs;
  sample.original_bytes = original;
  sample.compressed_bytes = compressed;
  sample.peak_memory_bytes = 7;
  sample.stage_ns[static_cast<size_t>(Stage::kDecode)] = 4 * kNsPerMs;
  return sample;
}

TEST(Metrics, CountsOutcomesBytesAndMeanSavings) {
  Metrics metrics;
  metrics.Record(Done(0, 100, 50), kStart);
  metrics.Record(Done(0, 1000, 900), kStart);
  TaskSample failed = Done(1, 0, 0);
  failed.outcome = TaskOutcome::kFailed;
  metrics.Record(failed, kStart);
  TaskSample cancelled;
  cancelled.outcome = TaskOutcome::kCancelled;
  metrics.Record(cancelled, kStart);
  metrics.RecordRetry();
  const MetricsSnapshot now = metrics.Snapshot(kStart);
  EXPECT_EQ(now.succeeded, 2u);
  EXPECT_EQ(now.failed, 1u);
  EXPECT_EQ(now.cancelled, 1u);
  EXPECT_EQ(now.retried, 1u);
  EXPECT_EQ(now.original_bytes, 1100u);
  EXPECT_EQ(now.compressed_bytes, 950u);
  EXPECT_DOUBLE_EQ(now.mean_savings, (0.5 + 0.1) / 2);
}

TEST(Metrics, CountsPerWorkerWhoRan) {
  Metrics metrics;
  metrics.Record(Done(2, 100, 50), kStart);
  TaskSample failed = Done(2, 0, 0);
  failed.outcome = TaskOutcome::kFailed;
  metrics.Record(failed, kStart);
  const MetricsSnapshot now = metrics.Snapshot(kStart);
  ASSERT_EQ(now.workers.size(), 3u);
  EXPECT_EQ(now.workers[0].processed, 0u);
  EXPECT_EQ(now.workers[2].processed, 2u);
  EXPECT_EQ(now.workers[2].failed, 1u);
  EXPECT_EQ(now.workers[2].busy_ns, 20 * kNsPerMs);
  EXPECT_EQ(now.workers[2].last_peak_memory_bytes, 7u);
}

TEST(Metrics, ThroughputForgetsWhatIsOlderThanAMinute) {
  Metrics metrics;
  for (int i = 0; i < 120; ++i) metrics.Record(Done(0, 1, 1), kStart);
  EXPECT_DOUBLE_EQ(metrics.Snapshot(kStart).throughput_per_s, 120.0);
  EXPECT_DOUBLE_EQ(metrics.Snapshot(kStart + 59 * kNsPerSecond).throughput_per_s, 120.0 / 59);
  EXPECT_DOUBLE_EQ(metrics.Snapshot(kStart + 60 * kNsPerSecond).throughput_per_s, 0.0);
  metrics.Record(Done(0, 1, 1), kStart + 61 * kNsPerSecond);
  EXPECT_DOUBLE_EQ(metrics.Snapshot(kStart + 61 * kNsPerSecond).throughput_per_s, 1.0 / 60);
}

TEST(Metrics, StagesThatDidNotHappenHaveNoLatency) {
  Metrics metrics;
  metrics.Record(Done(0, 100, 50), kStart);
  const MetricsSnapshot now = metrics.Snapshot(kStart);
  EXPECT_EQ(now.stages[static_cast<size_t>(Stage::kDecode)].count(), 1u);
  EXPECT_GE(now.stages[static_cast<size_t>(Stage::kDecode)].PercentileNs(0.5), 4 * kNsPerMs);
  EXPECT_EQ(now.stages[static_cast<size_t>(Stage::kWrite)].count(), 0u);
}

}  // namespace
}  // namespace pixpress
