#pragma once
// GIF to rows (the first frame) and to composed frames.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

Result<ImageInfo> ProbeGif(Bytes head, uint64_t total_bytes, const Limits& limits);

ImageLayout GifDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t GifDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeGif(Bytes encoded, const ImageInfo& info,
                                             const DecodeOptions& options, const Limits& limits,
                                             const WorkContext& context);

uint64_t GifFramesMemoryBytes(const ImageInfo& info);
Result<std::unique_ptr<FrameSource>> OpenGifFrames(Bytes encoded, const ImageInfo& info,
                                                   const Limits& limits,
                                                   const WorkContext& context);

}  // namespace pixpress
