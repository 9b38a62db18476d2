#include "pipeline/original.h"

#include <utility>

namespace pixpress {

Result<std::optional<ByteChain>> RewriteOriginal(const JobSpec& spec, const Plan& plan,
                                                 Bytes encoded, uint64_t most_bytes,
                                                 const WorkContext& context) {
  ByteChain original(context.meter);
  original.LimitTo(most_bytes);
  Status status = plan.source_codec->rewrite(encoded, spec.settings->metadata,
                                             spec.settings->limits, context, &original);
  if (original.is_beyond_limit()) return std::optional<ByteChain>();
  PIXPRESS_RETURN_IF_ERROR(std::move(status));
  return std::optional(std::move(original));
}

}  // namespace pixpress
