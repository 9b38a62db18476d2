#pragma once
// Counts what workers do: totals, a minute's throughput, latencies per stage, and per worker.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "observe/histogram.h"

namespace pixpress {

inline constexpr size_t kMeasuredStages = static_cast<size_t>(Stage::kWrite) + 1;

enum class TaskOutcome : uint8_t { kSucceeded, kFailed, kCancelled };

// One task that reached its final state.
struct TaskSample {
  int32_t worker_id = -1;  // -1: it never ran.
  TaskOutcome outcome = TaskOutcome::kSucceeded;
  int64_t queued_ns = 0;  // Waiting, until the last attempt began.
  int64_t run_ns = 0;     // The last attempt.
  uint64_t original_bytes = 0;
  uint64_t compressed_bytes = 0;
  uint64_t peak_memory_bytes = 0;
  std::array<int64_t, kMeasuredStages> stage_ns = {};  // By Stage; 0: did not happen.
};

struct WorkerMetrics {
  uint64_t processed = 0;
  uint64_t failed = 0;
  int64_t busy_ns = 0;
  uint64_t last_peak_memory_bytes = 0;
};

struct MetricsSnapshot {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t retried = 0;
  uint64_t original_bytes = 0;
  uint64_t compressed_bytes = 0;
  double mean_savings = 0.0;      // Mean of (original - compressed) / original over tasks.
  double throughput_per_s = 0.0;  // Successful tasks, over the last 60 s.
  Histogram run;                  // Of whole attempts.
  Histogram queued;
  std::array<Histogram, kMeasuredStages> stages;
  std::vector<WorkerMetrics> workers;  // By worker id.
};

// Thread-safe. About 26 KiB, however much it counts.
class Metrics {
 public:
  void Record(const TaskSample& sample, int64_t now_ns);
  void RecordRetry();
  MetricsSnapshot Snapshot(int64_t now_ns) const;

 private:
  static constexpr int64_t kWindowSeconds = 60;
  struct Second {
    int64_t number = -1;  // Since the clock's start.
    uint64_t tasks = 0;
  };

  void CountLocked(const TaskSample& sample, int64_t now_ns);

  mutable std::mutex mutex_;  // Guards all below.
  MetricsSnapshot totals_;
  double savings_sum_ = 0.0;
  uint64_t savings_count_ = 0;
  int64_t first_ns_ = -1;  // When the first task ended.
  std::array<Second, kWindowSeconds + 1> seconds_;
};

}  // namespace pixpress
