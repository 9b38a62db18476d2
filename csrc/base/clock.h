#pragma once
// Monotonic time as a value that tests can drive.

#include <cstdint>

namespace pixpress {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since an arbitrary start; never goes back.
  virtual int64_t NowNs() const = 0;

  // The machine's monotonic clock; lives for ever.
  static const Clock& System();
};

inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace pixpress
