#pragma once
// The best quality whose output is small enough.

#include <cstdint>
#include <functional>
#include <optional>

#include "base/status.h"
#include "codecs/codec.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {

// Encodes the job's image at a quality into an empty chain.
using EncodeAt = std::function<Status(int quality, ByteChain* out)>;

// The next quality in steps of 1 or -1 that makes something else. It may be below 1 or above 100:
// then there is none.
int OtherQuality(Format format, int quality, int step);

struct SearchResult {
  ByteChain data;
  int quality = 0;
  std::optional<double> score;  // If it was asked for.
};

// What an encode made.
struct SizeTrial {
  int quality = 0;  // 0: none.
  uint64_t size_bytes = 0;
};

struct SizeGoal {
  Format format = Format::kUnknown;  // What is made.
  int quality = 80;                  // The highest one; tried first.
  uint64_t max_bytes = 0;            // No output is larger; 0: no limit.
  // Set if it is known that this quality, which is the one above, is too large: then it is not
  // tried again.
  SizeTrial too_large;
  // Another trial, for how sizes change.
  SizeTrial known;
  // What is likely without a trial: the source, if the output is made of its coded data.
  SizeTrial prior;
};

// The first guess is by what sizes are typical, the next ones by what was measured. Ends with an
// output that fits and has at least 19/20 of `max_bytes`, 13/14 after three encodes, or where the
// next quality is known or expected to be too large. Three encodes as a rule, six at most once one
// fits; some more before it gives up with kLimitExceeded, which names the size that quality 1
// makes. Holds the best output that fits beside the one that is being made.
Result<SearchResult> SearchQuality(const EncodeAt& encode, const SizeGoal& goal, Meter& meter);

// kLimitExceeded: no quality fits.
Status TooLarge(uint64_t smallest_bytes, uint64_t max_bytes);

// kLimitExceeded if `size_bytes` is more than a `max_bytes` that is not 0.
Status CheckMaxBytes(uint64_t size_bytes, uint64_t max_bytes);

}  // namespace pixpress
