#pragma once
// Rows to JPEG by our own transform, quantization and entropy coding.

#include "codecs/codec.h"

namespace pixpress {

// What is held besides the output.
uint64_t JpegPixelEncodeBytes(const ImageLayout& layout, const EncodeOptions& options);
// The contract is that of Codec::encode.
Status EncodeJpegPixels(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                        const WorkContext& context, ByteChain* out);

}  // namespace pixpress
