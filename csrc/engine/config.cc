#include "engine/config.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

namespace pixpress {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();
// cgroup v1 says "no limit" with a number near 2^63, rounded down to pages.
constexpr uint64_t kV1NoLimit = uint64_t{1} << 62;

// The first word of a cgroup file, "" if there is none.
std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

uint64_t ParseLimit(const std::string& word) {
  if (word.empty() || word.find_first_not_of("0123456789") != std::string::npos) return kUnlimited;
  if (word.size() > 19) return kUnlimited;
  const uint64_t value = std::stoull(word);
  return value >= kV1NoLimit ? kUnlimited : value;
}

// This process's path in the unified hierarchy, or under `controller` of v1: "" if unknown.
std::string CgroupPath(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool matches = controller.empty()
                             ? names == ",,"
                             : names.find("," + controller + ",") != std::string::npos;
    if (matches) return line.substr(second + 1);
  }
  return "";
}

// The smallest `read(folder)` from the cgroup up to the root.
template <typename Read>
auto SmallestUpwards(const std::string& root, std::string path, Read read) {
  auto least = read(root);
  while (!path.empty() && path != "/") {
    least = std::min(least, read(root + path));
    path.erase(path.rfind('/'));
  }
  return least;
}

double CpuQuotaV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return HUGE_VAL;
  return static_cast<double>(ParseLimit(quota)) / period;
}

double CpuQuotaV1(const std::string& folder) {
  const uint64_t quota = ParseLimit(FirstWord(folder + "/cpu.cfs_quota_us"));
  const uint64_t period = ParseLimit(FirstWord(folder + "/cpu.cfs_period_us"));
  if (quota == kUnlimited || period == kUnlimited || period == 0) return HUGE_VAL;
  return static_cast<double>(quota) / static_cast<double>(period);
}

// The number after `key` in a file of "key number" lines; `missing` if it is not there.
uint64_t NumberAfter(const std::string& path, const std::string& key, uint64_t missing) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t value = 0;
    if (word == key && file >> value) return value;
  }
  return missing;
}

// What a cgroup may still take: its pages of files that nobody needs can go.
uint64_t CgroupFreeBytes(const std::string& folder, const char* limit, const char* usage,
                         const char* cold) {
  const uint64_t limit_bytes = ParseLimit(FirstWord(folder + limit));
  const uint64_t used_bytes = ParseLimit(FirstWord(folder + usage));
  if (limit_bytes == kUnlimited || used_bytes == kUnlimited) return kUnlimited;
  const uint64_t cold_bytes = std::min(used_bytes, NumberAfter(folder + "/memory.stat", cold, 0));
  return limit_bytes - std::min(limit_bytes, used_bytes - cold_bytes);
}

}  // namespace

uint32_t AllowedCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int affinity = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  const double quota =
      std::min(SmallestUpwards("/sys/fs/cgroup", CgroupPath(""), CpuQuotaV2),
               SmallestUpwards("/sys/fs/cgroup/cpu", CgroupPath("cpu"), CpuQuotaV1));
  const double allowed = std::min<double>(affinity, std::ceil(quota));
  return static_cast<uint32_t>(std::max(1.0, allowed));
}

uint64_t AllowedMemoryBytes() {
  const auto v2 = [](const std::string& folder) {
    return ParseLimit(FirstWord(folder + "/memory.max"));
  };
  const auto v1 = [](const std::string& folder) {
    return ParseLimit(FirstWord(folder + "/memory.limit_in_bytes"));
  };
  const uint64_t physical = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                            static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  return std::min({physical, SmallestUpwards("/sys/fs/cgroup", CgroupPath(""), v2),
                   SmallestUpwards("/sys/fs/cgroup/memory", CgroupPath("memory"), v1)});
}

uint64_t FreeMemoryBytes() {
  const auto v2 = [](const std::string& folder) {
    return CgroupFreeBytes(folder, "/memory.max", "/memory.current", "inactive_file");
  };
  const auto v1 = [](const std::string& folder) {
    return CgroupFreeBytes(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                           "total_inactive_file");
  };
  constexpr uint64_t kNoNumber = kUnlimited / 1024;
  const uint64_t machine = 1024 * NumberAfter("/proc/meminfo", "MemAvailable:", kNoNumber);
  return std::min({AllowedMemoryBytes(), machine,
                   SmallestUpwards("/sys/fs/cgroup", CgroupPath(""), v2),
                   SmallestUpwards("/sys/fs/cgroup/memory", CgroupPath("memory"), v1)});
}

}  // namespace pixpress
