#pragma once
// Metadata in and out of JPEG segments, and rewriting a file around its image data.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/codec.h"

namespace pixpress {

struct JpegMetadataSegment {
  uint8_t marker = 0;
  std::vector<uint8_t> payload;  // At most 65533 bytes.
};

// What carries `metadata`, except the density, which JFIF has. A block that cannot fit is left out.
std::vector<JpegMetadataSegment> MakeJpegSegments(const Metadata& metadata);

// The payload of JFIF's APP0.
std::array<uint8_t, 14> MakeJfifPayload(const std::optional<Density>& density);

Result<Metadata> ReadJpegMetadata(Bytes encoded, const Limits& limits);
Status RewriteJpeg(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

}  // namespace pixpress
