#include "observe/system_monitor.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace pixpress {
namespace {

constexpr uint64_t kSectorBytes = 512;  // The unit of /proc/diskstats on every kernel.

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;  // Iterators would throw where a read fails.
  text << file.rdbuf();
  return text.str();
}

std::vector<uint32_t> AffinityCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<uint32_t> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

int64_t ProcessCpuNs() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Partitions, and devices that only forward to others, would count the same bytes again.
bool IsWholeDisk(const std::string& name) {
  for (const char* prefix : {"loop", "ram", "dm-", "md", "zram", "sr"}) {
    if (name.starts_with(prefix)) return false;
  }
  const bool ends_in_digit = name.back() >= '0' && name.back() <= '9';
  if (name.starts_with("nvme") || name.starts_with("mmcblk")) {
    return name.find('p', 4) == std::string::npos;
  }
  return !ends_in_digit;
}

double PerSecond(uint64_t before, uint64_t now, double seconds) {
  return now > before && seconds > 0 ? static_cast<double>(now - before) / seconds : 0.0;
}

}  // namespace

CpuTimes ParseCpuTimes(std::string_view proc_stat, const std::vector<uint32_t>& cpus) {
  std::istringstream lines{std::string(proc_stat)};
  CpuTimes times;
  for (std::string line; std::getline(lines, line) && line.starts_with("cpu");) {
    std::istringstream words(line.substr(3));
    uint32_t cpu = 0;
    if (line[3] == ' ' || !(words >> cpu)) continue;  // The sum over all CPUs.
    if (std::ranges::find(cpus, cpu) == cpus.end()) continue;
    // user nice system idle iowait irq softirq steal; guest times are part of user and nice.
    uint64_t ticks = 0;
    for (int field = 0; field < 8 && words >> ticks; ++field) {
      times.total += ticks;
      if (field != 3 && field != 4) times.busy += ticks;
    }
  }
  return times;
}

uint64_t ParseMemInfoBytes(std::string_view meminfo, std::string_view key) {
  const std::string wanted = std::string(key) + ":";
  std::istringstream lines{std::string(meminfo)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(wanted)) continue;
    uint64_t kib = 0;
    std::istringstream(line.substr(wanted.size())) >> kib;
    return kib * 1024;
  }
  return 0;
}

DiskCounters ParseDiskStats(std::string_view diskstats) {
  DiskCounters sum;
  std::istringstream lines{std::string(diskstats)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    uint64_t major = 0;
    uint64_t minor = 0;
    std::string name;
    uint64_t field[11] = {};
    if (!(words >> major >> minor >> name) || !IsWholeDisk(name)) continue;
    for (uint64_t& value : field) words >> value;
    sum.read_bytes += field[2] * kSectorBytes;
    sum.written_bytes += field[6] * kSectorBytes;
    sum.weighted_ms += field[10];
  }
  return sum;
}

SystemMonitor::SystemMonitor(uint32_t allowed_cpus, std::string proc)
    : allowed_cpus_(std::max(allowed_cpus, 1u)), proc_(std::move(proc)), cpus_(AffinityCpus()) {}

// Rates since the sample before; 0 in the first one.
void SystemMonitor::AddRates(int64_t now_ns, SystemSample* sample) {
  const CpuTimes cpu = ParseCpuTimes(ReadAll(proc_ + "/stat"), cpus_);
  const DiskCounters disk = ParseDiskStats(ReadAll(proc_ + "/diskstats"));
  const int64_t own_cpu_ns = ProcessCpuNs();
  if (last_.sampled_ns != 0) {
    const double seconds = static_cast<double>(now_ns - last_.sampled_ns) * 1e-9;
    if (cpu.total > cpu_.total) {
      sample->cpu_percent =
          100.0 * PerSecond(cpu_.busy, cpu.busy, 1.0) / static_cast<double>(cpu.total - cpu_.total);
    }
    const double own_s = static_cast<double>(own_cpu_ns - own_cpu_ns_) * 1e-9;
    sample->own_cpu_percent = std::min(100.0, 100.0 * own_s / seconds / allowed_cpus_);
    // Under a quota the CPUs are idle while we are throttled.
    sample->cpu_percent = std::max(sample->cpu_percent, sample->own_cpu_percent);
    sample->disk_read_bytes_per_s = PerSecond(disk_.read_bytes, disk.read_bytes, seconds);
    sample->disk_write_bytes_per_s = PerSecond(disk_.written_bytes, disk.written_bytes, seconds);
    sample->disk_queue = PerSecond(disk_.weighted_ms, disk.weighted_ms, seconds) / 1000.0;
  }
  cpu_ = cpu;
  disk_ = disk;
  own_cpu_ns_ = own_cpu_ns;
}

SystemSample SystemMonitor::Sample(int64_t now_ns, uint64_t memory_limit_bytes,
                                   uint64_t memory_free_bytes) {
  const std::lock_guard lock(mutex_);
  if (last_.sampled_ns != 0 && now_ns - last_.sampled_ns < kLeastIntervalNs) return last_;
  SystemSample sample;
  sample.cores = allowed_cpus_;
  std::istringstream(ReadAll(proc_ + "/loadavg")) >> sample.load_1 >> sample.load_5 >>
      sample.load_15;
  const std::string meminfo = ReadAll(proc_ + "/meminfo");
  sample.memory_total_bytes = std::min(ParseMemInfoBytes(meminfo, "MemTotal"), memory_limit_bytes);
  sample.memory_available_bytes = std::min(
      {ParseMemInfoBytes(meminfo, "MemAvailable"), memory_free_bytes, sample.memory_total_bytes});
  AddRates(now_ns, &sample);
  sample.sampled_ns = std::max<int64_t>(now_ns, 1);
  last_ = sample;
  return sample;
}

SystemSample SystemMonitor::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace pixpress
