#pragma once
// Still WebP to rows, fed to libwebp in pieces so that a job can be stopped.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout WebpDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t WebpDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodeWebp(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context);

}  // namespace pixpress
