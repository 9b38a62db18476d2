#pragma once
// Carry out a plan: decode, steps, encode, and compare with the original.

#include "base/status.h"
#include "codecs/codec.h"
#include "image/work_context.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// Fill `result` from `encoded` (the whole input; unused for pixels), all but what only the caller
// knows: peak memory, and reading and writing. result->data holds the output. Blocks; runs on the
// caller's thread, and on others only through context.parallel.
Status RunPlan(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context,
               JobResult* result);

}  // namespace pixpress
