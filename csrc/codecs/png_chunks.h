#pragma once
// PNG as a list of chunks: reading, writing, metadata, and rewriting without the image data.

#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

struct PngChunk {
  std::string_view type;  // Four letters, in the input.
  Bytes data;
  Bytes whole;  // With length and CRC.
};

bool HasPngSignature(Bytes head);
// The chunks up to IEND. With `may_end_early` the list ends where the bytes do; otherwise that, and
// a bad CRC, is kCorruptImage.
Result<std::vector<PngChunk>> ListPngChunks(Bytes encoded, bool may_end_early);

Status AppendPngSignature(ByteChain* out);
Status AppendPngChunk(ByteChain* out, std::string_view type, Bytes data);
// The chunks that hold `metadata`, all of which belong before PLTE and IDAT.
Status AppendPngMetadata(const Metadata& metadata, ByteChain* out);

Result<Metadata> ReadPngMetadata(Bytes encoded, const Limits& limits);
Status RewritePng(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
