#pragma once
// One attempt at one job in a worker process.

#include <string>

#include "engine/worker.h"

namespace pixpress {

// Is there a program for it, and can the job's source go there?
bool CanIsolate(const JobSpec& spec, const std::string& worker_program);

// As AttemptJob, with probe, plan and run in the process of `context.runner`. The thread reads the
// input, reserves memory and writes the output.
Attempt AttemptIsolated(Job& job, const AttemptContext& context);

}  // namespace pixpress
