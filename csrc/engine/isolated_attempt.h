#pragma once
// One attempt at one job in a worker process.

#include "engine/worker.h"

namespace pixpress {

// As AttemptJob, with probe, plan and run in the process of `context.runner`. The thread reads the
// input, reserves memory and writes the output.
Attempt AttemptIsolated(Job& job, const AttemptContext& context);

}  // namespace pixpress
