#pragma once
// What a worker process and its parent say to each other: one message, one answer.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// Descriptors of a worker process; it has no others but the null device as 0 to 2.
inline constexpr int kSocketFd = 3;
inline constexpr int kInputFd = 4;
inline constexpr int kOutputFd = 5;
inline constexpr int kControlFd = 6;
inline constexpr int kFirstUnusedFd = 7;

inline constexpr size_t kMostMessageBytes = 32u << 10;
// The shared memory of an input up to here stays, on both sides, for the next one.
inline constexpr uint64_t kKeptInputBytes = 1u << 20;

// The child's first words. A sandbox that is not complete is not refused but reported.
struct Hello {
  int32_t filter_errno = 0;  // Why there is no system call filter; 0: there is one.
};

// Probe and plan a job, and run it at once if it needs at most `grant_bytes`.
struct PlanRequest {
  uint32_t sequence = 0;  // The answer repeats it.
  Settings settings;
  bool is_pixels = false;
  ImageLayout layout;        // Of pixels, rows at its own row_bytes: one plane.
  uint64_t head_bytes = 0;   // Of the input, in shared memory now.
  uint64_t total_bytes = 0;  // Of the input; the shared memory is not smaller.
  uint64_t grant_bytes = 0;
};

// Run what was planned: the whole input is there now.
struct RunRequest {
  uint32_t sequence = 0;
};

// The answer to a PlanRequest that did not run.
struct Planned {
  uint32_t sequence = 0;
  Status status;
  bool needs_more_input = false;  // The header is longer than the head: ask again with all.
  uint64_t memory_bytes = 0;      // Otherwise: what the plan needs.
};

// The end of a job. The output is in shared memory.
struct Done {
  uint32_t sequence = 0;
  Status status;
  JobResult result;  // Without data, which has compressed_bytes.
};

using Message = std::variant<Hello, PlanRequest, RunRequest, Planned, Done>;

// Texts are cut to what fits into kMostMessageBytes.
std::string WriteMessage(const Message& message);
// kWorkerCrashed if the bytes are no message, or have values that no message can have.
Result<Message> ReadMessage(std::string_view bytes);

}  // namespace pixpress
