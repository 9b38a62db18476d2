#pragma once
// WebP as a list of RIFF chunks: metadata, and writing the extended container.

#include <string_view>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

struct WebpChunk {
  std::string_view type;  // Four letters, in the input.
  Bytes data;
};

// Walks over chunks and keeps none: a hostile file holds millions.
class WebpChunkReader {
 public:
  enum class Step : uint8_t {
    kChunk,
    kCut,  // The bytes end inside of a chunk, or before the length that RIFF gives.
    kEnd,
  };
  // `encoded` has the signature.
  explicit WebpChunkReader(Bytes encoded);
  Step Next(WebpChunk* chunk);

 private:
  Bytes encoded_;  // Without what follows the RIFF.
  bool is_cut_;    // RIFF says that more follows.
  size_t at_;
};

bool HasWebpSignature(Bytes head);
// The file without what follows the end of the RIFF; kCorruptImage if it ends before that.
Result<Bytes> WholeRiff(Bytes encoded);

// The TIFF block of an EXIF chunk: some writers put the prefix of JPEG's segment before it.
Bytes WebpExif(Bytes chunk);
Result<Metadata> ReadWebpMetadata(Bytes encoded, const Limits& limits);
// Under kAll every byte up to the end of the RIFF.
Status RewriteWebp(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

// A file of the image chunks of `image`, a whole WebP file, and `metadata`.
Status WriteWebp(Bytes image, const Metadata& metadata, ByteChain* out);

}  // namespace pixpress
