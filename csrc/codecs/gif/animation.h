#pragma once
// Composed frames to an animated GIF.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

uint64_t GifAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options);
// Equal frames in a row become one; durations are rounded to 1/100 s, the sum kept. Colors with an
// alpha of less than 128 are transparent, the others opaque.
Result<std::unique_ptr<FrameSink>> StartGifAnimation(const AnimationInfo& animation,
                                                     const EncodeOptions& options,
                                                     const Metadata& metadata,
                                                     const WorkContext& context, ByteChain* out);

}  // namespace pixpress
