#pragma once
// JPEG to rows.

#include <memory>

#include "codecs/codec.h"

namespace pixpress {

Result<ImageInfo> ProbeJpeg(Bytes head, uint64_t total_bytes, const Limits& limits);
ImageLayout JpegDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
// An upper bound of what libjpeg holds while it decodes.
uint64_t JpegLibraryBytes(const ImageInfo& info);
// How many of the 8 samples of a block's side a plane of `stored` has after scaling: coarse planes
// are scaled down less, as libjpeg does, unless `options` ask for the same.
uint32_t JpegBlockSide(const ImageLayout& stored, size_t plane, const DecodeOptions& options);
uint64_t JpegDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeJpeg(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context);
// The same by libjpeg alone, of a file that was checked: `info` is its own.
Result<std::unique_ptr<RowSource>> DecodeJpegByLibrary(Bytes encoded, const ImageInfo& info,
                                                       const DecodeOptions& options,
                                                       const WorkContext& context);

}  // namespace pixpress
