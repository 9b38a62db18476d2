#pragma once
// Composed frames to an animated WebP.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

// Lossless output is counted with what it has at most. Lossy output of long animations is counted
// with what it has as a rule, since what noise needs would exceed what most machines have.
uint64_t WebpAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options);
// Durations are rounded to 1/1000 s, the sum kept. kMemoryLimit if the output grows beyond what
// WebpAnimationMemoryBytes counts.
Result<std::unique_ptr<FrameSink>> StartWebpAnimation(const AnimationInfo& animation,
                                                      const EncodeOptions& options,
                                                      const Metadata& metadata,
                                                      const WorkContext& context, ByteChain* out);

}  // namespace pixpress
