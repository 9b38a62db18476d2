#pragma once
// JPEG to rows.

#include <memory>

#include "codecs/codec.h"

namespace pixpress {

Result<ImageInfo> ProbeJpeg(Bytes head, uint64_t total_bytes, const Limits& limits);
ImageLayout JpegDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
// An upper bound of what libjpeg holds while it decodes.
uint64_t JpegLibraryBytes(const ImageInfo& info);
uint64_t JpegDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeJpeg(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context);

}  // namespace pixpress
