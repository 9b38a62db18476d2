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
    kCut,  // The bytes end inside of a chunk, of which there is what is there, or before the
           // length that RIFF gives.
    kEnd,
  };
  // `encoded` has the signature.
  explicit WebpChunkReader(Bytes encoded);
  // The chunks in `data` of another chunk.
  static WebpChunkReader Within(Bytes data);
  Step Next(WebpChunk* chunk);

 private:
  WebpChunkReader(Bytes bytes, size_t at) : encoded_(bytes), is_cut_(false), at_(at) {}
  Bytes encoded_;  // Without what follows the RIFF.
  bool is_cut_;    // RIFF says that more follows.
  size_t at_;
};

bool HasWebpSignature(Bytes head);
// The file without what follows the end of the RIFF; kCorruptImage if it ends before that.
Result<Bytes> WholeRiff(Bytes encoded);

Result<Metadata> ReadWebpMetadata(Bytes encoded, const Limits& limits);
// Under kAll every byte up to the end of the RIFF.
Status RewriteWebp(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

// A file of the image chunks of `image`, a whole WebP file, and `metadata`.
Status WriteWebp(Bytes image, const Metadata& metadata, ByteChain* out);

Status AppendWebpChunk(std::string_view type, Bytes data, ByteChain* out);
// What a file of the extended kind says of its image.
struct WebpExtent {
  uint32_t width = 0;
  uint32_t height = 0;
  bool has_alpha = false;
  bool is_animated = false;
};
// All that comes before `image_bytes` of image chunks, and all that comes after them.
// kLimitExceeded if the file is longer than RIFF can say.
Status AppendWebpHead(const WebpExtent& extent, const Metadata& metadata, uint64_t image_bytes,
                      ByteChain* out);
Status AppendWebpTail(const Metadata& metadata, ByteChain* out);

}  // namespace pixpress
