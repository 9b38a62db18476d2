#pragma once
// AVIF as a tree of boxes: how large its pictures are, and dropping metadata without moving a byte
// of the image data.

#include "codecs/codec.h"

namespace pixpress {

bool HasAvifSignature(Bytes head);

// Sides of the largest picture that the boxes announce; 0 where they announce none.
struct AvifExtents {
  uint32_t width = 0;
  uint32_t height = 0;

  uint64_t pixels() const { return uint64_t{width} * height; }
};
AvifExtents LargestAvifExtents(Bytes file);

// Items refer to places in the file, so the boxes keep theirs: blocks that the policy drops are
// blanked and their items renamed to a type that readers skip. What follows the last box is cut.
Status RewriteAvif(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

}  // namespace pixpress
