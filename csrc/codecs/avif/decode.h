#pragma once
// AVIF to rows and to frames. Library calls cannot be stopped: a stop is seen between them.

#include "codecs/codec.h"

namespace pixpress {

Result<ImageInfo> ProbeAvif(Bytes head, uint64_t total_bytes, const Limits& limits);
ImageLayout AvifDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t AvifDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeAvif(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context);
uint64_t AvifFramesMemoryBytes(const ImageInfo& info);
Result<std::unique_ptr<FrameSource>> OpenAvifFrames(Bytes encoded, const ImageInfo& info,
                                                    const Limits& limits,
                                                    const WorkContext& context);
Result<Metadata> ReadAvifMetadata(Bytes encoded, const Limits& limits);

}  // namespace pixpress
