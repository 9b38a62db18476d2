#pragma once
// How a running job learns that it should end: cancelled, timed out, or shut down.

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/status.h"

namespace pixpress {

enum class StopReason : uint8_t { kNone, kCancelled, kTimedOut, kShutdown };

// The asking side. Thread-safe; the first reason wins.
class StopSource {
 public:
  StopSource() : state_(std::make_shared<State>()) {}

  void RequestStop(StopReason reason) {
    StopReason none = StopReason::kNone;
    state_->reason.compare_exchange_strong(none, reason);
  }
  // Time out by itself once `clock` reaches `deadline_ns`. `clock` must outlive every token.
  // Call before the first token is polled.
  void SetDeadline(const Clock* clock, int64_t deadline_ns) {
    state_->clock = clock;
    state_->deadline_ns = deadline_ns;
  }
  // Also stop when another process writes a reason into `word`, which outlives every token. Call
  // before the first token is polled.
  void Watch(const std::atomic<StopReason>* word) { state_->watched = word; }
  StopReason reason() const { return state_->reason.load(); }

 private:
  friend class StopToken;
  struct State {
    std::atomic<StopReason> reason{StopReason::kNone};
    const Clock* clock = nullptr;  // Null: no deadline.
    int64_t deadline_ns = 0;
    const std::atomic<StopReason>* watched = nullptr;  // Null: none.
  };
  std::shared_ptr<State> state_;  // Shared with the tokens, which a late library call may outlive.
};

// The asked side: cheap to copy; poll it once per stripe, frame, chunk or codec hook.
class StopToken {
 public:
  StopToken() = default;  // Never stops.
  explicit StopToken(const StopSource& source) : state_(source.state_) {}

  bool stop_requested() const {
    if (state_ == nullptr) return false;
    if (state_->reason.load(std::memory_order_relaxed) != StopReason::kNone) return true;
    if (state_->watched != nullptr && IsSetByWatched()) return true;
    if (state_->clock == nullptr || state_->clock->NowNs() < state_->deadline_ns) return false;
    StopReason none = StopReason::kNone;
    state_->reason.compare_exchange_strong(none, StopReason::kTimedOut);
    return true;
  }
  // OK, or kCancelled / kTaskTimeout.
  Status Poll() const { return stop_requested() ? StoppedStatus() : Status(); }

 private:
  bool IsSetByWatched() const {
    const StopReason reason = state_->watched->load(std::memory_order_relaxed);
    if (reason == StopReason::kNone) return false;
    StopReason none = StopReason::kNone;
    state_->reason.compare_exchange_strong(none, reason);
    return true;
  }
  Status StoppedStatus() const {
    if (state_->reason.load() == StopReason::kTimedOut) {
      return Status(StatusCode::kTaskTimeout, "the job ran longer than task_timeout");
    }
    return Status(StatusCode::kCancelled, "the job was cancelled");
  }

  std::shared_ptr<StopSource::State> state_;
};

}  // namespace pixpress
