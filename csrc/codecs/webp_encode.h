#pragma once
// Rows to WebP, lossy or lossless; YCbCr planes go in as they are.

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout WebpAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t WebpEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeWebp(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
