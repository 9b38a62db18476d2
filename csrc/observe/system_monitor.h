#pragma once
// What the machine does: CPU, load, memory and disks, from /proc.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pixpress {

// CPU time of the CPUs that this process may use, in clock ticks.
struct CpuTimes {
  uint64_t busy = 0;
  uint64_t total = 0;
};

struct DiskCounters {
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  uint64_t weighted_ms = 0;  // Time that requests waited and ran, over all requests.
};

struct SystemSample {
  double cpu_percent = 0.0;      // Of the CPUs that this process may use.
  double own_cpu_percent = 0.0;  // Of that: by this process.
  double load_1 = 0.0;
  double load_5 = 0.0;
  double load_15 = 0.0;
  uint32_t cores = 1;  // That this process may use.
  uint64_t memory_total_bytes = 0;
  uint64_t memory_available_bytes = 0;
  double disk_read_bytes_per_s = 0.0;
  double disk_write_bytes_per_s = 0.0;
  double disk_queue = 0.0;  // Requests under way, on average.
  int64_t sampled_ns = 0;   // By the clock of the caller; 0: never.
};

// Pure parsers of the files' text; what is missing counts as 0.
CpuTimes ParseCpuTimes(std::string_view proc_stat, const std::vector<uint32_t>& cpus);
uint64_t ParseMemInfoBytes(std::string_view meminfo, std::string_view key);
// Whole disks only, so that nothing counts twice.
DiskCounters ParseDiskStats(std::string_view diskstats);

// Thread-safe. Rates cover the time between two samples.
class SystemMonitor {
 public:
  // `allowed_cpus` counts quotas too; `proc` is where /proc is.
  explicit SystemMonitor(uint32_t allowed_cpus, std::string proc = "/proc");

  // Read everything. `memory_limit_bytes` and `memory_free_bytes` say what control groups allow.
  // Within kLeastIntervalNs of the one before it, gives that one.
  SystemSample Sample(int64_t now_ns, uint64_t memory_limit_bytes, uint64_t memory_free_bytes);
  SystemSample last() const;
  uint32_t allowed_cpus() const { return allowed_cpus_; }

 private:
  static constexpr int64_t kLeastIntervalNs = 200'000'000;

  void AddRates(int64_t now_ns, SystemSample* sample);

  const uint32_t allowed_cpus_;
  const std::string proc_;
  const std::vector<uint32_t> cpus_;
  mutable std::mutex mutex_;  // Guards all below.
  CpuTimes cpu_;
  DiskCounters disk_;
  int64_t own_cpu_ns_ = 0;
  SystemSample last_;
};

}  // namespace pixpress
