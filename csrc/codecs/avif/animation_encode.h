#pragma once
// Canvases to AVIF sequences. libaom predicts frames from others by itself, so every canvas is
// given to it whole, and it holds some of them. A stop is seen between frames.

#include "codecs/codec.h"
#include "image/frame.h"

namespace pixpress {

// FrameSink and the rest as the registry has it.
uint64_t AvifAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options);
Result<std::unique_ptr<FrameSink>> StartAvifAnimation(const AnimationInfo& animation,
                                                      const EncodeOptions& options,
                                                      const Metadata& metadata,
                                                      const WorkContext& context, ByteChain* out);

}  // namespace pixpress
