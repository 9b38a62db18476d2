#pragma once
// PNG as a row of chunks: reading, writing, metadata, and rewriting without the image data.

#include <string_view>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

struct PngChunk {
  std::string_view type;  // Four letters, in the input.
  Bytes data;
  Bytes whole;  // With length and CRC.
};

// Walks over chunks and keeps none: a hostile file holds millions.
class PngChunkReader {
 public:
  enum class Step : uint8_t {
    kChunk,  // One chunk.
    kCut,    // The bytes end inside of a chunk: type and data as far as they are there.
    kEnd,    // IEND was given before; what follows is not looked at.
  };
  // IDAT and fdAT are long and checked by whoever decodes them; `checks_data` checks them as well.
  PngChunkReader(Bytes encoded, bool checks_data);
  // A wrong CRC or an impossible length is kCorruptImage.
  Result<Step> Next(PngChunk* chunk);
  // Where the next chunk begins, or the one that Next() refused.
  size_t position() const { return at_; }

 private:
  Bytes encoded_;
  bool checks_data_;
  size_t at_;
  bool has_ended_ = false;
};

bool HasPngSignature(Bytes head);
// kCorruptImage if any chunk but IDAT and fdAT is damaged; that there are too few is not looked at.
Status CheckPngChunks(Bytes encoded, const StopToken& stop);

Status AppendPngSignature(ByteChain* out);
Status AppendPngChunk(ByteChain* out, std::string_view type, Bytes data);
// The chunks that hold `metadata`, all of which may come before PLTE and IDAT.
Status AppendPngMetadata(const Metadata& metadata, ByteChain* out);

// What comes before the first damage.
Result<Metadata> ReadPngMetadata(Bytes encoded, const Limits& limits);
// Under kAll every byte up to the end of IEND.
Status RewritePng(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
