#pragma once
// Run a plan whose quality is searched for: max_bytes, target, min_quality.

#include "base/status.h"
#include "image/metadata.h"
#include "image/work_context.h"
#include "kernels/color_transform.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// What RunPlan has made of the job until now. `max_bytes` is the limit that counts, 0 for none.
struct SearchedJob {
  const JobSpec& spec;
  const Plan& plan;
  Bytes encoded;
  const Metadata& metadata;     // Of the output.
  const ColorTransform* color;  // For the step kColor, or null.
  uint64_t max_bytes = 0;
  const WorkContext& context;
};

// Decode and take all steps once, then encode the image as often as it takes.
Status EncodeSearched(const SearchedJob& job, JobResult* result);

// The same from the coded data. False, and no result, if pixels are needed after all.
Result<bool> TranscodeSearched(const SearchedJob& job, JobResult* result);

}  // namespace pixpress
