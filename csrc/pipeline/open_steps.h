#pragma once
// The steps of a plan as a chain of row sources.

#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "kernels/color_transform.h"
#include "pipeline/plan.h"

namespace pixpress {

// The rows of the job's image as `plan.decode` says; `encoded` is the whole source. All outlive it.
Result<std::unique_ptr<RowSource>> OpenSource(const JobSpec& spec, const Plan& plan, Bytes encoded,
                                              const WorkContext& context);

// `source` with every step of the plan around it. Errors carry the stage of their step. `plan`,
// `settings` and `color`, which is for the step kColor and may be null, outlive the result.
Result<std::unique_ptr<RowSource>> OpenSteps(std::unique_ptr<RowSource> source, const Plan& plan,
                                             const Settings& settings, const ColorTransform* color,
                                             const WorkContext& context);

// Where a step's time is counted and its errors happen.
Stage StageOf(const PlannedStep& step);

}  // namespace pixpress
