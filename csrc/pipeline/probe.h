#pragma once
// Learn what a source is from its first bytes.

#include "base/status.h"
#include "codecs/codec.h"
#include "image/limits.h"

namespace pixpress {

// What a first look at a file reads at most.
inline constexpr uint64_t kProbeHeadBytes = 256 * 1024;

// Identify and probe `head`, the start of `total_bytes` bytes. The info says needs_more_input if
// the header is longer than the head.
Result<ImageInfo> ProbeBytes(Bytes head, uint64_t total_bytes, const Limits& limits);

}  // namespace pixpress
