#pragma once
// PNG to rows through libpng's row interface.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout PngDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t PngDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodePng(Bytes encoded, const ImageInfo& info,
                                             const DecodeOptions& options, const Limits& limits,
                                             const WorkContext& context);

}  // namespace pixpress
