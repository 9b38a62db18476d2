#pragma once
// A pass over our own output that makes it smaller without loss: settings.post_process.

#include "base/status.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// The peak of PostProcess, the output that it is given included. 0 if there is nothing to do: the
// format has no such pass, or the effort was the highest already.
uint64_t PostProcessMemoryBytes(const Plan& plan, const Settings& settings);

// Encode the image data of `result` at the highest effort, JPEG by its coefficients and PNG by its
// pixels, and keep that if it is smaller. Polls for a stop as the codec does.
Status PostProcess(const JobSpec& spec, const Plan& plan, const WorkContext& context,
                   JobResult* result);

}  // namespace pixpress
