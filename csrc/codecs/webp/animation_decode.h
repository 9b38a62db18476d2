#pragma once
// Animated WebP to composed frames.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

uint64_t WebpFramesMemoryBytes(const ImageInfo& info);
// All frames are looked over before the first is decoded.
Result<std::unique_ptr<FrameSource>> OpenWebpFrames(Bytes encoded, const ImageInfo& info,
                                                    const Limits& limits,
                                                    const WorkContext& context);

}  // namespace pixpress
