#pragma once
// Run a plan of all frames of an animation.

#include "base/status.h"
#include "image/metadata.h"
#include "image/work_context.h"
#include "kernels/color_transform.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// Fills result->data and the times of the stages. One frame is under way at a time; `encoded` is
// the whole source, `metadata` what the output carries, `color` for the step kColor or null.
Status RunAnimation(const JobSpec& spec, const Plan& plan, Bytes encoded, const Metadata& metadata,
                    const ColorTransform* color, const WorkContext& context, JobResult* result);

}  // namespace pixpress
