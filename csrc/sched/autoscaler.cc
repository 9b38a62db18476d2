#include "sched/autoscaler.h"

#include <algorithm>

namespace pixpress {

bool MayStartWorker(const ScaleSample& sample, const ScaleLimits& limits, int64_t now_ns) {
  if (sample.workers >= limits.max_workers) return false;
  if (sample.workers < limits.min_workers) return true;
  if (sample.waiting == 0 || !sample.memory_admits) return false;
  const bool is_known =
      sample.cpu_sampled_ns != 0 && now_ns - sample.cpu_sampled_ns <= kCpuSampleNs;
  return !is_known || sample.cpu_percent < limits.cpu_threshold_percent;
}

bool MayEndWorker(uint32_t workers, const ScaleLimits& limits, int64_t idle_since_ns,
                  int64_t now_ns) {
  if (workers > limits.max_workers) return true;  // The limit has come down.
  return workers > limits.min_workers && now_ns - idle_since_ns >= limits.idle_timeout_ns;
}

Concurrency NextConcurrency(const Concurrency& current, const PressureSample& sample,
                            const ScaleLimits& limits, int64_t now_ns) {
  Concurrency next = current;
  const uint32_t least = std::max(limits.min_workers, 1u);
  const uint32_t most = std::max(limits.max_workers, least);
  next.limit = std::clamp(current.limit, least, most);
  if (now_ns - current.changed_ns < kConcurrencyStepNs) return next;
  const bool is_pressed = sample.other_cpu_percent > limits.cpu_threshold_percent ||
                          sample.memory_free_percent < kLeastFreeMemoryPercent;
  next.limit = is_pressed ? std::max(next.limit - 1, least) : std::min(next.limit + 1, most);
  if (next.limit != current.limit) next.changed_ns = now_ns;
  return next;
}

}  // namespace pixpress
