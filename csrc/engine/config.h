#pragma once
// How an engine is set up. Python turns pool options and configuration files into this.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pixpress {

struct EngineOptions {
  uint32_t max_workers = 0;  // 0: one per CPU that this process may use, as memory allows.
  uint32_t min_workers = 1;
  size_t memory_limit_bytes = 0;         // 0: the smaller of 4 GB and 60 % of what is allowed.
  size_t worker_memory_limit_bytes = 0;  // Of one job; 0: no own limit.
  int64_t task_timeout_ns = 0;           // 0: none.
  int64_t queue_timeout_ns = 0;          // 0: none.
  int64_t idle_timeout_ns = 60'000'000'000;
  // How long a job past its task_timeout may take to stop before its worker is given up.
  int64_t stuck_grace_ns = 5'000'000'000;
  int64_t shutdown_grace_ns = 30'000'000'000;  // The same for running jobs when the engine ends.
  double cpu_threshold_percent = 90.0;         // No worker is added while CPU use is above.
  bool adaptive_concurrency = true;
  uint32_t max_retries = 3;
  int64_t retry_delay_ns = 1'000'000'000;
  double backoff_multiplier = 2.0;
  double gc_threshold_percent = 80.0;  // Of the memory limit: free pages are given back from here.
  uint64_t seed = 0;                   // Of the jitter of retries; 0: another one each time.
  size_t max_queue = 0;                // Waiting jobs; 0: unbounded.
  uint64_t max_queue_bytes = 0;        // Input bytes of waiting jobs; 0: unbounded.
  uint32_t max_events = 65'536;        // Undelivered progress events before the oldest are dropped.
  int worker_nice = 10;
  bool durable = false;
  bool isolate_jobs = false;   // Run every job in a worker process.
  std::string worker_program;  // Its file.
  std::string cache_folder;    // Of results; empty: none are kept.
  uint64_t cache_bytes = uint64_t{1} << 30;
  uint64_t cache_entries = 500;
};

// Set one field by the name that Python and configuration files have for it; times are in ns, sizes
// in bytes. False if there is none of that name.
bool SetOption(std::string_view name, double value, EngineOptions* options);
// What is 0 becomes what this machine allows; bounds hold.
EngineOptions WithDefaults(EngineOptions options);

// CPUs that this process may use: affinity and cgroup quota, at least 1.
uint32_t AllowedCpus();
// Memory that this process may use: cgroup limits and the machine's memory.
uint64_t AllowedMemoryBytes();
// The part of it that is free now, pages that the system can drop included.
uint64_t FreeMemoryBytes();

}  // namespace pixpress
