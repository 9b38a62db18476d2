#include "observe/system_monitor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace pixpress {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

TEST(SystemMonitor, CpuTimesAreThoseOfTheAllowedCpus) {
  const char* text =
      "cpu  10 0 10 80 0 0 0 0 0 0\n"
      "cpu0 1 2 3 40 5 6 7 8 100 100\n"
      "cpu1 9 0 0 1 0 0 0 0 0 0\n"
      "intr 1 2 3\n";
  const CpuTimes first = ParseCpuTimes(text, {0});
  EXPECT_EQ(first.total, 72u);
  EXPECT_EQ(first.busy, 27u);
  const CpuTimes both = ParseCpuTimes(text, {0, 1});
  EXPECT_EQ(both.total, 82u);
  EXPECT_EQ(both.busy, 36u);
}

TEST(SystemMonitor, DisksCountOnceAndPartitionsNot) {
  const DiskCounters sum = ParseDiskStats(
      "   8  0 sda 10 0 100 0 20 0 200 0 0 0 77 0 0\n"
      "   8  1 sda1 10 0 100 0 20 0 200 0 0 0 77 0 0\n"
      " 259  0 nvme0n1 1 0 1000 0 2 0 2000 0 0 0 3 0 0\n"
      " 259  1 nvme0n1p1 1 0 1000 0 2 0 2000 0 0 0 3 0 0\n"
      "   7  0 loop0 1 0 5000 0 2 0 2000 0 0 0 3 0 0\n");
  EXPECT_EQ(sum.read_bytes, 1100u * 512);
  EXPECT_EQ(sum.written_bytes, 2200u * 512);
  EXPECT_EQ(sum.weighted_ms, 80u);
}

TEST(SystemMonitor, MemoryIsFoundByKey) {
  const char* text = "MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n";
  EXPECT_EQ(ParseMemInfoBytes(text, "MemTotal"), 2048u * 1024);
  EXPECT_EQ(ParseMemInfoBytes(text, "MemAvailable"), 1024u * 1024);
  EXPECT_EQ(ParseMemInfoBytes(text, "Swap"), 0u);
}

class FakeProc {
 public:
  FakeProc()
      : folder_(std::filesystem::temp_directory_path() /
                ("pixpress_proc_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    Write("loadavg", "0.50 1.50 2.50 1/100 1\n");
    Write("meminfo", "MemTotal: 8192 kB\nMemAvailable: 4096 kB\n");
  }
  ~FakeProc() { std::filesystem::remove_all(folder_); }
  void Write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  // The same load on every CPU that there may be.
  void WriteCpus(int busy, int idle) {
    std::string text = "cpu  0 0 0 0 0 0 0 0\n";
    for (int cpu = 0; cpu < 1024; ++cpu) {
      text += "cpu" + std::to_string(cpu) + " " + std::to_string(busy) + " 0 0 " +
              std::to_string(idle) + " 0 0 0 0\n";
    }
    Write("stat", text);
  }
  void WriteDisk(int sectors, int weighted_ms) {
    Write("diskstats", "8 0 sda 1 0 " + std::to_string(sectors) + " 0 1 0 " +
                           std::to_string(2 * sectors) + " 0 0 0 " + std::to_string(weighted_ms) +
                           "\n");
  }
  std::string path() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

TEST(SystemMonitor, RatesCoverTheTimeBetweenTwoSamples) {
  FakeProc proc;
  proc.WriteCpus(100, 100);
  proc.WriteDisk(1000, 0);
  // So many CPUs that this process's own use is nothing.
  SystemMonitor monitor(1'000'000, proc.path());
  const SystemSample first = monitor.Sample(10 * kSecond, kNoLimit, kNoLimit);
  EXPECT_EQ(first.cpu_percent, 0.0);
  EXPECT_EQ(first.load_1, 0.5);
  EXPECT_EQ(first.load_5, 1.5);
  EXPECT_EQ(first.load_15, 2.5);
  EXPECT_EQ(first.memory_total_bytes, 8192u * 1024);
  EXPECT_EQ(first.memory_available_bytes, 4096u * 1024);
  proc.WriteCpus(130, 170);
  proc.WriteDisk(1000 + 2048, 6000);
  const SystemSample second = monitor.Sample(12 * kSecond, kNoLimit, kNoLimit);
  EXPECT_NEAR(second.cpu_percent, 30.0, 1e-9);
  EXPECT_DOUBLE_EQ(second.disk_read_bytes_per_s, 1024 * 512);
  EXPECT_DOUBLE_EQ(second.disk_write_bytes_per_s, 2048 * 512);
  EXPECT_DOUBLE_EQ(second.disk_queue, 3.0);
}

TEST(SystemMonitor, ControlGroupsBoundTheMemory) {
  FakeProc proc;
  SystemMonitor monitor(1, proc.path());
  const SystemSample sample = monitor.Sample(kSecond, 5 << 20, 1 << 20);
  EXPECT_EQ(sample.memory_total_bytes, 5u << 20);
  EXPECT_EQ(sample.memory_available_bytes, 1u << 20);
}

TEST(SystemMonitor, SamplesInQuickSuccessionAreTheSame) {
  FakeProc proc;
  SystemMonitor monitor(1, proc.path());
  const SystemSample first = monitor.Sample(kSecond, kNoLimit, kNoLimit);
  proc.Write("loadavg", "9 9 9 1/1 1\n");
  EXPECT_EQ(monitor.Sample(kSecond + kSecond / 10, kNoLimit, kNoLimit).load_1, first.load_1);
  EXPECT_EQ(monitor.Sample(2 * kSecond, kNoLimit, kNoLimit).load_1, 9.0);
  EXPECT_EQ(monitor.last().load_1, 9.0);
}

}  // namespace
}  // namespace pixpress
