#pragma once
// Rows to AVIF. The library's call cannot be stopped: a stop is seen before and after it.

#include "codecs/avif/library.h"
#include "codecs/codec.h"
#include "image/image.h"

namespace pixpress {

// The picture that libavif encodes, in memory of its own.
Result<AvifImage> MakeAvifImage(const Image& pixels, const EncodeOptions& options,
                                const Metadata& metadata);
// Quality, speed and threads.
Status ConfigureAvif(const EncodeOptions& options, avifEncoder* encoder);

ImageLayout AvifAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t AvifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeAvif(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
