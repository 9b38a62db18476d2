#pragma once
// Deflate for data of which much repeats: more time and fewer bytes than a search that goes by the
// bytes alone, as it knows how far apart pixels are.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/stop_token.h"
#include "codecs/deflate/matches.h"
#include "memory/meter.h"

namespace pixpress {

struct DeflateEffort {
  DeflateSearch search;
  // Over each block after one over all, each with the costs that the one before found.
  int passes = 2;
};

// Raw deflate of `data`, which may refer to the `known_bytes` before it, into `out`. A piece that
// is not the last one ends on a byte, with an empty stored block. Returns how many bytes were made,
// 0 if `out` has too little room. Polls `stop` every few milliseconds.
Result<size_t> DeflateThoroughly(std::span<const uint8_t> data, size_t known_bytes,
                                 size_t period_bytes, const DeflateEffort& effort, bool is_last,
                                 const StopToken& stop, Meter& meter, std::span<uint8_t> out);

// What it holds of `meter`, before that rounds up.
uint64_t DeflateThoroughlyMemoryBytes(size_t data_bytes, size_t known_bytes);

}  // namespace pixpress
