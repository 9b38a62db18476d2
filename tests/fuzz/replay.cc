// A fuzz target without libFuzzer: runs files, and with --mutate N that many mutations of them.
//
//   <target> [--mutate N] [--seed S] [--from I] [--generated FORMAT] FILE...
//
// Mutation I of a seed is always the same, so --from I --mutate 1 runs a bad one again. Each input
// has kMostSeconds before the watchdog ends it all. "all" or a format's name as FORMAT makes the
// inputs to begin with.

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

#include "seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Where a sanitizer is built in.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<uint8_t>;

// Far more than any input takes, also with sanitizers on a busy machine.
constexpr unsigned kMostSeconds = 20;

struct Options {
  long mutations = 0;
  long first = 0;
  unsigned long seed = 1;
  std::vector<Input> inputs;
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

// A number that lengths and counts are checked against, or just beside one.
void SetField(Input& bytes, size_t at, std::mt19937_64& random) {
  constexpr std::array<uint64_t, 8> kValues = {0,      1,          0x7F,       0xFF,
                                               0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
  const size_t width = std::min<size_t>(size_t{1} << random() % 3, bytes.size() - at);
  const uint64_t value = kValues[random() % kValues.size()] + random() % 3 - 1;
  const bool is_big_endian = random() % 2 == 0;
  for (size_t i = 0; i < width; ++i) {
    bytes[at + (is_big_endian ? width - 1 - i : i)] = static_cast<uint8_t>(value >> 8 * i);
  }
}

// Some bytes of `from` in the place of some of `bytes`.
void Splice(Input& bytes, size_t at, const Input& from, std::mt19937_64& random) {
  if (from.empty()) return;
  const size_t begin = random() % from.size();
  const size_t length = 1 + random() % std::min<size_t>(from.size() - begin, 256);
  const size_t dropped = std::min(random() % 2 == 0 ? length : 0, bytes.size() - at);
  bytes.erase(bytes.begin() + at, bytes.begin() + at + dropped);
  bytes.insert(bytes.begin() + at, from.begin() + begin, from.begin() + begin + length);
}

Input Mutated(const std::vector<Input>& inputs, std::mt19937_64& random) {
  Input bytes = inputs[random() % inputs.size()];
  const size_t changes = 1 + random() % 4;
  for (size_t i = 0; i < changes && bytes.size() > 2; ++i) {
    const size_t at = random() % bytes.size();
    switch (random() % 7) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(random());
        break;
      case 2:
        bytes.erase(bytes.begin() + at);
        break;
      case 3:
        bytes.insert(bytes.begin() + at, static_cast<uint8_t>(random() % 4 ? random() : 0xFF));
        break;
      case 4:
        SetField(bytes, at, random);
        break;
      case 5:
        Splice(bytes, at, inputs[random() % inputs.size()], random);
        break;
      default:
        bytes.resize(random() % 4 == 0 ? at : bytes.size());
    }
  }
  return bytes;
}

void Run(const Input& input, const char* what, size_t number, unsigned long seed) {
  std::snprintf(g_running.data(), g_running.size(), "\nwhile running %s %zu of seed %lu\n", what,
                number, seed);
  alarm(kMostSeconds);
  // A copy of just this size, so that a read beyond it is seen.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  alarm(0);
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
    } else if (name == "--generated" && has_value) {
      for (Input& seed : pixpress::FuzzSeeds(argv[++i])) options.inputs.push_back(std::move(seed));
    } else {
      std::ifstream file(name, std::ios::binary);
      options.inputs.emplace_back(std::istreambuf_iterator<char>(file),
                                  std::istreambuf_iterator<char>());
    }
  }
  return options;
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
  for (size_t i = 0; i < options.inputs.size(); ++i) {
    Run(options.inputs[i], "input", i, options.seed);
  }
  std::printf("%zu inputs replayed; seed %lu\n", options.inputs.size(), options.seed);
  std::fflush(stdout);
  for (long i = options.first; i < options.first + options.mutations; ++i) {
    std::mt19937_64 random(options.seed * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(i));
    Run(Mutated(options.inputs, random), "mutation", static_cast<size_t>(i), options.seed);
  }
  std::printf("%ld mutations\n", options.mutations);
}
