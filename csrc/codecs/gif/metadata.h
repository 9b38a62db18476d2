#pragma once
// What a GIF carries besides pixels, and the same file without some of it.

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

Result<Metadata> ReadGifMetadata(Bytes encoded, const Limits& limits);
Status RewriteGif(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
