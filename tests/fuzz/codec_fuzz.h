#pragma once
// One decoder under bytes that nobody vouches for: every way in, within small limits and a budget.

#include <cstddef>
#include <cstdint>

#include "codecs/codec.h"

namespace pixpress {

// What a fuzzed image may cost: 1 megapixel in all, 64 frames, 20 scans, 1 MiB of metadata.
Limits FuzzLimits();

// Probes `bytes` and, if `format` is theirs, reads the metadata, decodes the rows and all frames,
// rewrites and transcodes, all within kInputDeadlineNs. A 16th of the inputs is stopped at some
// poll of the stop token instead; a 64th may have 16 megapixels. Aborts if a decoder yields other
// rows than it announced, holds more than it planned or anything after its end, or fails with a
// code that is not about the input.
void FuzzCodec(Format format, Bytes bytes);

}  // namespace pixpress
