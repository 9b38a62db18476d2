#include "observe/metrics.h"

#include <algorithm>

#include "base/clock.h"

namespace pixpress {

void Metrics::CountLocked(const TaskSample& sample, int64_t now_ns) {
  ++totals_.succeeded;
  totals_.original_bytes += sample.original_bytes;
  totals_.compressed_bytes += sample.compressed_bytes;
  if (sample.original_bytes > 0) {
    const auto original = static_cast<double>(sample.original_bytes);
    savings_sum_ += (original - static_cast<double>(sample.compressed_bytes)) / original;
    ++savings_count_;
  }
  for (size_t stage = 0; stage < kMeasuredStages; ++stage) {
    if (sample.stage_ns[stage] > 0) totals_.stages[stage].Add(sample.stage_ns[stage]);
  }
  const int64_t number = now_ns / kNsPerSecond;
  Second& second = seconds_[static_cast<size_t>(number) % seconds_.size()];
  if (second.number != number) second = {.number = number, .tasks = 0};
  ++second.tasks;
  if (first_ns_ < 0) first_ns_ = now_ns;
}

void Metrics::Record(const TaskSample& sample, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (sample.outcome == TaskOutcome::kSucceeded) CountLocked(sample, now_ns);
  if (sample.outcome == TaskOutcome::kFailed) ++totals_.failed;
  if (sample.outcome == TaskOutcome::kCancelled) ++totals_.cancelled;
  if (sample.worker_id < 0) return;
  totals_.run.Add(sample.run_ns);
  totals_.queued.Add(sample.queued_ns);
  const auto id = static_cast<size_t>(sample.worker_id);
  if (totals_.workers.size() <= id) totals_.workers.resize(id + 1);
  WorkerMetrics& worker = totals_.workers[id];
  ++worker.processed;
  if (sample.outcome == TaskOutcome::kFailed) ++worker.failed;
  worker.busy_ns += sample.run_ns;
  worker.last_peak_memory_bytes = sample.peak_memory_bytes;
}

void Metrics::RecordRetry() {
  const std::lock_guard lock(mutex_);
  ++totals_.retried;
}

MetricsSnapshot Metrics::Snapshot(int64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  MetricsSnapshot snapshot = totals_;
  if (savings_count_ > 0)
    snapshot.mean_savings = savings_sum_ / static_cast<double>(savings_count_);
  if (first_ns_ < 0) return snapshot;
  const int64_t number = now_ns / kNsPerSecond;
  uint64_t tasks = 0;
  for (const Second& second : seconds_) {
    if (second.number >= 0 && number - second.number < kWindowSeconds) tasks += second.tasks;
  }
  const int64_t age_ns =
      std::clamp(now_ns - first_ns_, kNsPerSecond, kWindowSeconds * kNsPerSecond);
  snapshot.throughput_per_s =
      static_cast<double>(tasks) * static_cast<double>(kNsPerSecond) / static_cast<double>(age_ns);
  return snapshot;
}

}  // namespace pixpress
