#include "pipeline/probe.h"

namespace pixpress {

Result<ImageInfo> ProbeBytes(Bytes head, uint64_t total_bytes, const Limits& limits) {
  PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(total_bytes, limits));
  PIXPRESS_ASSIGN_OR_RETURN(const Codec* codec, IdentifyCodec(head));
  return codec->probe(head, total_bytes, limits);
}

}  // namespace pixpress
