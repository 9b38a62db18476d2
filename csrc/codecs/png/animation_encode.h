#pragma once
// Composed frames to an animated PNG.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

uint64_t PngAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options);
// RGBA of 8 bits throughout, exact but for the colors of transparent pixels: the color type has to
// be known before the first frame, and transparency is what lets a frame leave out what stands
// still. Durations are exact unless they need more than 16 bits.
Result<std::unique_ptr<FrameSink>> StartPngAnimation(const AnimationInfo& animation,
                                                     const EncodeOptions& options,
                                                     const Metadata& metadata,
                                                     const WorkContext& context, ByteChain* out);

}  // namespace pixpress
