#pragma once
// format="auto": the plans of what may become the output.

#include <cstdint>

#include "base/status.h"
#include "codecs/codec.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// One plan for each output that may be tried, whatever the pixels turn out to be; its memory is
// that of the largest, and of the best output until then. Called by MakePlan.
Result<Plan> MakeAutoPlan(const JobSpec& spec, const ImageInfo& info, uint64_t input_bytes);

}  // namespace pixpress
