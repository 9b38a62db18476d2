#pragma once
// Run the plan of format="auto".

#include "base/status.h"
#include "codecs/codec.h"
#include "image/work_context.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// Look at the pixels, run the candidates that suit them one after the other, and keep the smallest
// output that looks good enough, or the original. All as RunPlan, which calls it.
Status RunAuto(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context,
               JobResult* result);

}  // namespace pixpress
