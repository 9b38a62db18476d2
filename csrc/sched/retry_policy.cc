#include "sched/retry_policy.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace pixpress {
namespace {

constexpr uint64_t kSpareRetries = 10;
constexpr uint64_t kTasksPerRetry = 10;

}  // namespace

bool IsRetryable(StatusCode code, int sys_errno, bool was_there) {
  // The system refused memory; a job that can never fit has no errno.
  if (code == StatusCode::kMemoryLimit) return sys_errno == ENOMEM;
  // A crash has no errno; a process that cannot start may have one that passes.
  if (code != StatusCode::kInput && code != StatusCode::kOutput &&
      code != StatusCode::kWorkerCrashed) {
    return false;
  }
  switch (sys_errno) {
    case EAGAIN:
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ESTALE:
    case ETIMEDOUT:
      return true;
    case ENOENT:
      return code == StatusCode::kInput && was_there;
    default:
      return false;
  }
}

int64_t RetryCeilingNs(const RetryOptions& options, uint32_t retry) {
  const double delay_ns =
      static_cast<double>(options.first_delay_ns) * std::pow(options.backoff_multiplier, retry);
  return static_cast<int64_t>(std::min(delay_ns, static_cast<double>(options.longest_delay_ns)));
}

int64_t RetryDelayNs(const RetryOptions& options, uint32_t retry, double random) {
  return static_cast<int64_t>(static_cast<double>(RetryCeilingNs(options, retry)) * random);
}

bool RetryBudget::Take() {
  if (retried_ >= kSpareRetries + submitted_ / kTasksPerRetry) return false;
  ++retried_;
  return true;
}

double Jitter::Next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

}  // namespace pixpress
