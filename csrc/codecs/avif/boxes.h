#pragma once
// AVIF as a tree of boxes: dropping metadata without moving a byte of the image data.

#include "codecs/codec.h"

namespace pixpress {

bool HasAvifSignature(Bytes head);

// Items refer to places in the file, so the boxes keep theirs: blocks that the policy drops are
// blanked and their items renamed to a type that readers skip. What follows the last box is cut.
Status RewriteAvif(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out);

}  // namespace pixpress
