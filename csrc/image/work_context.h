#pragma once
// What every step of a job is given besides its pixels.

#include "base/parallel.h"
#include "base/progress_sink.h"
#include "base/stop_token.h"
#include "image/salvage.h"
#include "memory/meter.h"

namespace pixpress {

// Borrowed by every step; outlives them all.
struct WorkContext {
  Meter& meter;
  StopToken stop;
  Parallel& parallel;
  ProgressSink* progress = nullptr;  // Null: nobody listens.
  Salvage* salvage = nullptr;        // Null: damage is an error.
};

}  // namespace pixpress
