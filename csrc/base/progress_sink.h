#pragma once
// Where a running job says how far it is.

#include "base/status.h"

namespace pixpress {

// Called on the job's thread, often once per stripe; must not block.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // `fraction` of `stage` is done, 0 to 1.
  virtual void Report(Stage stage, double fraction) = 0;
};

}  // namespace pixpress
