#pragma once
// Rows to PNG: lossless reductions, filters, deflate.

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout PngAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t PngEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodePng(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out);

}  // namespace pixpress
