#pragma once
// The source's own image data as an output.

#include <cstdint>
#include <optional>

#include "codecs/codec.h"
#include "memory/byte_chain.h"
#include "pipeline/job_spec.h"
#include "pipeline/plan.h"

namespace pixpress {

// The original image data, with the metadata that is wanted, unless that is larger than
// `most_bytes`: then it is given up as soon as that is known.
Result<std::optional<ByteChain>> RewriteOriginal(const JobSpec& spec, const Plan& plan,
                                                 Bytes encoded, uint64_t most_bytes,
                                                 const WorkContext& context);

}  // namespace pixpress
