// A fuzz target without libFuzzer: runs files, and with --mutate N that many mutations of them.
//
//   <target> [--mutate N] [--seed S] [--from I] [--write PATH] [--generated FORMAT] FILE...
//
// Mutation I of a seed is always the same, so --from I --mutate 1 runs a bad one again; with
// --write PATH the last input is written there first. "all" or a format's name as FORMAT makes the
// inputs to begin with. Fails if an input takes longer than its deadline and the grace after it, or
// if the process ends with more memory than it had after the inputs and kMostGrowthBytes.

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "input_clock.h"
#include "mutation.h"
#include "seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Where a sanitizer is built in.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
extern "C" __attribute__((weak)) void __sanitizer_purge_allocator();
// What is freed is kept back for a while, so that its use is seen: of the last few inputs. The
// library looks for a name that is visible to it.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "quarantine_size_mb=4";
}

namespace {

using pixpress::FuzzInput;

// For a target that neither ends nor uses the processor.
constexpr unsigned kWatchdogSeconds = 30;
constexpr size_t kMostGrowthBytes = 32 << 20;

struct Options {
  long mutations = 0;
  long first = 0;
  unsigned long seed = 1;
  std::string write_path;
  std::vector<FuzzInput> inputs;
};

// What is running, for whoever has to say so while the process dies.
std::array<char, 128> g_running = {};

void SayWhatRuns() {
  const size_t length = std::find(g_running.begin(), g_running.end(), '\0') - g_running.begin();
  if (write(STDERR_FILENO, g_running.data(), length) < 0) _exit(3);
}

void OnSignal(int number) {
  SayWhatRuns();
  signal(number, SIG_DFL);
  raise(number);
}

// The slowest inputs of a run, in processor time.
class Runner {
 public:
  explicit Runner(unsigned long seed) : seed_(seed) {}

  void Run(const FuzzInput& input, const char* what, size_t number) {
    std::snprintf(g_running.data(), g_running.size(), "\nwhile running %s %zu of seed %lu\n", what,
                  number, seed_);
    alarm(kWatchdogSeconds);
    // A copy of just this size, so that a read beyond it is seen.
    const FuzzInput exact(input.begin(), input.end());
    const int64_t start_ns = clock_.NowNs();
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    const int64_t taken_ns = clock_.NowNs() - start_ns;
    alarm(0);
    if (taken_ns > pixpress::kInputDeadlineNs + pixpress::kInputGraceNs) {
      std::fprintf(stderr, "it took %.3f s\n", Seconds(taken_ns));
      std::abort();
    }
    if (taken_ns <= slowest_ns_) return;
    slowest_ns_ = taken_ns;
    slowest_ = std::string(what) + " " + std::to_string(number);
  }

  void Report() const {
    std::printf("slowest: %s, %.3f s\n", slowest_.c_str(), Seconds(slowest_ns_));
  }

 private:
  static double Seconds(int64_t ns) { return static_cast<double>(ns) / pixpress::kNsPerSecond; }

  const unsigned long seed_;
  const pixpress::CpuClock clock_;
  int64_t slowest_ns_ = 0;
  std::string slowest_;
};

// What the process holds once everything is given back that it does not use.
size_t ResidentBytes() {
  if (__sanitizer_purge_allocator != nullptr) __sanitizer_purge_allocator();
  malloc_trim(0);
  size_t size_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> size_pages >> resident_pages;
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

FuzzInput ReadInput(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return FuzzInput(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool has_value = i + 1 < argc;
    if (name == "--mutate" && has_value) {
      options.mutations = std::atol(argv[++i]);
    } else if (name == "--from" && has_value) {
      options.first = std::atol(argv[++i]);
    } else if (name == "--seed" && has_value) {
      options.seed = std::strtoul(argv[++i], nullptr, 10);
    } else if (name == "--write" && has_value) {
      options.write_path = argv[++i];
    } else if (name == "--generated" && has_value) {
      for (auto& seed : pixpress::FuzzSeeds(argv[++i])) {
        options.inputs.push_back(std::move(seed.bytes));
      }
    } else {
      options.inputs.push_back(ReadInput(name));
    }
  }
  return options;
}

void WriteInput(const FuzzInput& input, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(input.data()),
             static_cast<std::streamsize>(input.size()));
}

void RunMutations(const Options& options, Runner& runner) {
  for (long i = options.first; i < options.first + options.mutations; ++i) {
    std::mt19937_64 random(options.seed * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(i));
    const FuzzInput input = pixpress::Mutated(options.inputs, random);
    if (!options.write_path.empty()) WriteInput(input, options.write_path);
    runner.Run(input, "mutation", static_cast<size_t>(i));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  if (options.inputs.empty()) {
    std::fprintf(stderr, "there is nothing to run\n");
    return 2;
  }
  for (const int number : {SIGALRM, SIGABRT}) signal(number, OnSignal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(SayWhatRuns);
  Runner runner(options.seed);
  for (size_t i = 0; i < options.inputs.size(); ++i) runner.Run(options.inputs[i], "input", i);
  const size_t base_bytes = ResidentBytes();
  std::printf("%zu inputs replayed; seed %lu; %zu MiB resident\n", options.inputs.size(),
              options.seed, base_bytes >> 20);
  std::fflush(stdout);
  RunMutations(options, runner);
  const size_t end_bytes = ResidentBytes();
  std::printf("%ld mutations; %zu MiB resident; ", options.mutations, end_bytes >> 20);
  runner.Report();
  if (end_bytes <= base_bytes + kMostGrowthBytes) return 0;
  std::fprintf(stderr, "memory grew by more than %zu MiB\n", kMostGrowthBytes >> 20);
  return 1;
}
