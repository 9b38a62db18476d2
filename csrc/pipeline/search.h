#pragma once
// The best quality whose output is small enough.

#include <cstdint>
#include <functional>
#include <optional>

#include "base/status.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {

// Encodes the job's image at a quality into an empty chain.
using EncodeAt = std::function<Status(int quality, ByteChain* out)>;

struct SearchResult {
  ByteChain data;
  int quality = 0;
  std::optional<double> score;  // If it was asked for.
};

// Bisects the qualities from `asked_quality` down to 1 for an output of at most `max_bytes`; 0 is
// no limit. Six encodes at most once one fits: the quality is then within three steps of the best.
// One or two more before it gives up with kLimitExceeded, which names the size that quality 1
// makes. Holds the best output that fits beside the one that is being made.
Result<SearchResult> SearchQuality(const EncodeAt& encode, int asked_quality, uint64_t max_bytes,
                                   Meter& meter);

// kLimitExceeded: no quality fits.
Status TooLarge(uint64_t smallest_bytes, uint64_t max_bytes);

// kLimitExceeded if `size_bytes` is more than a `max_bytes` that is not 0.
Status CheckMaxBytes(uint64_t size_bytes, uint64_t max_bytes);

}  // namespace pixpress
