#pragma once
// Turns what the steps of a job report into few, rising progress events.

#include <functional>

#include "base/clock.h"
#include "base/progress_sink.h"

namespace pixpress {

// Used on the job's thread. Emits at most one event per 1 % and 50 ms; the fraction never falls.
class JobProgress final : public ProgressSink {
 public:
  using Emit = std::function<void(Stage stage, float fraction)>;
  JobProgress(const Clock& clock, Emit emit)
      : clock_(clock), emit_(std::move(emit)), last_ns_(clock.NowNs()) {}

  void Report(Stage stage, double fraction) override;

 private:
  const Clock& clock_;
  const Emit emit_;
  int64_t last_ns_;
  double last_fraction_ = 0.0;
};

}  // namespace pixpress
