#pragma once
// JPEG to JPEG of the same size without pixels: coefficients are requantized as they are decoded.

#include "codecs/codec.h"

namespace pixpress {

// The contracts are those of Codec::transcode*.
bool CanTranscodeJpeg(const ImageInfo& info, const EncodeOptions& options);
uint64_t JpegTranscodeMemoryBytes(const ImageInfo& info, const EncodeOptions& options);
Result<bool> TranscodeJpeg(Bytes encoded, const ImageInfo& info, const EncodeOptions& options,
                           const Limits& limits, const Metadata& metadata,
                           const WorkContext& context, ByteChain* out);

}  // namespace pixpress
