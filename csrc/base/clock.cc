#include "base/clock.h"

#include <chrono>

namespace pixpress {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t NowNs() const override {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count();
  }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace pixpress
