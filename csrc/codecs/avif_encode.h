#pragma once
// Rows to AVIF. The library's call cannot be stopped: a stop is seen before and after it.

#include "codecs/codec.h"

namespace pixpress {

ImageLayout AvifAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t AvifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeAvif(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
