#pragma once
// Animated PNG to composed frames.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

// Frames of 16 bits are narrowed to the 8 of a canvas.
uint64_t PngFramesMemoryBytes(const ImageInfo& info);
// The whole file is checked first. An image that is not a frame is passed over.
Result<std::unique_ptr<FrameSource>> OpenPngFrames(Bytes encoded, const ImageInfo& info,
                                                   const Limits& limits,
                                                   const WorkContext& context);

}  // namespace pixpress
