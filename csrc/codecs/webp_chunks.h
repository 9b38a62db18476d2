#pragma once
// WebP as a list of RIFF chunks: metadata, and writing the extended container.

#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

struct WebpChunk {
  std::string_view type;  // Four letters, in the input.
  Bytes data;
};

bool HasWebpSignature(Bytes head);
// With `may_end_early` the list ends where the bytes do; otherwise that is kCorruptImage.
Result<std::vector<WebpChunk>> ListWebpChunks(Bytes encoded, bool may_end_early);

Result<Metadata> ReadWebpMetadata(Bytes encoded, const Limits& limits);
Status RewriteWebp(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

// A file of the image chunks of `image`, a whole WebP file, and `metadata`.
Status WriteWebp(Bytes image, const Metadata& metadata, ByteChain* out);

}  // namespace pixpress
