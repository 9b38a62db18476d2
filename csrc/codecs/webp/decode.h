#pragma once
// The first image of a WebP to rows, fed to libwebp in pieces so that a job can be stopped.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout WebpDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t WebpDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeWebp(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context);

// The memory of libwebp for an image of such a size.
uint64_t WebpDecoderBytes(uint32_t width, uint32_t height, bool is_lossless, bool has_alpha);
// One image, a file or its chunks alone, as rows of RGB or RGBA. It is of the size that WebpFrame
// or ImageInfo says, and `out` has room for that. Polls the stop token on the way.
Status DecodeWebpPixels(Bytes image, uint32_t width, uint32_t height, bool with_alpha,
                        size_t stride_bytes, const WorkContext& context, uint8_t* out);

}  // namespace pixpress
