#pragma once
// How many workers there should be, and how many may work: pure functions of a sample and the time.

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace pixpress {

struct ScaleLimits {
  uint32_t min_workers = 1;
  uint32_t max_workers = 1;
  int64_t idle_timeout_ns = 60 * kNsPerSecond;
  double cpu_threshold_percent = 90.0;
};

struct ScaleSample {
  uint32_t workers = 0;        // Without those that are stuck.
  size_t waiting = 0;          // Tasks, and loans that idle workers could help with.
  bool memory_admits = true;   // There is room for the smallest charge of a task.
  double cpu_percent = 0.0;    // Of the CPUs that this process may use.
  int64_t cpu_sampled_ns = 0;  // When that was measured; 0: never.
};

// An older measure of CPU use says nothing about now, and does not keep a worker from starting.
inline constexpr int64_t kCpuSampleNs = 3 * kNsPerSecond;

// May one worker more start? Always below min_workers; else when tasks wait, memory admits one, and
// CPU use is under the threshold.
bool MayStartWorker(const ScaleSample& sample, const ScaleLimits& limits, int64_t now_ns);

// May a worker that has been idle since `idle_since_ns` end?
bool MayEndWorker(uint32_t workers, const ScaleLimits& limits, int64_t idle_since_ns,
                  int64_t now_ns);

// What the machine does besides our work.
struct PressureSample {
  double other_cpu_percent = 0.0;    // Of the CPUs that this process may use, by others.
  double memory_free_percent = 100;  // Of what this process may use.
};

// How many workers may run tasks at the same time.
struct Concurrency {
  uint32_t limit = 1;
  int64_t changed_ns = 0;
};

inline constexpr double kLeastFreeMemoryPercent = 5.0;
inline constexpr int64_t kConcurrencyStepNs = 2 * kNsPerSecond;

// Adaptive concurrency: one less for each step of time in which others use more CPU than the
// threshold or memory runs low, one more for each in which neither holds; within the limits.
Concurrency NextConcurrency(const Concurrency& current, const PressureSample& sample,
                            const ScaleLimits& limits, int64_t now_ns);

}  // namespace pixpress
