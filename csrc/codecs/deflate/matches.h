#pragma once
// The repeats in data of which much repeats, as filtered rows of flat graphics do.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/stop_token.h"
#include "memory/meter.h"

namespace pixpress {

struct DeflateMatch {
  uint16_t length = 0;
  uint16_t distance = 0;
};

struct DeflateSearch {
  int depth = 16;               // Places with the same four bytes to compare with.
  int run_depth = 8;            // The same within runs.
  uint32_t enough_bytes = 128;  // A match of so many is taken as it is: none is sought within.
};

// Matches that start at each byte, longer ones farther away. Places with the same four bytes are in
// a tree, sorted by what follows them: few of them are compared, and the longest matches are found.
// Within runs, where pixels repeat, all places have the same bytes: there the trees are of places
// with as much of a run left and the same bytes behind it.
class DeflateMatches {
 public:
  // `data` may refer to the `known_bytes` before it. `period_bytes` is the distance at which runs
  // repeat: a pixel. Polls `stop` every 64 KiB. One thread at a time.
  static Result<DeflateMatches> Find(std::span<const uint8_t> data, size_t known_bytes,
                                     size_t period_bytes, const DeflateSearch& search,
                                     const StopToken& stop, Meter& meter);
  // What Find() allocates at once, and what stays.
  static uint64_t MemoryBytes(size_t data_bytes, size_t known_bytes);

  std::span<const DeflateMatch> At(size_t place) const {
    return {matches_ + begins_[place], matches_ + begins_[place + 1]};
  }

 private:
  friend class MatchFinder;

  Buffer matches_memory_;
  Buffer begins_memory_;
  DeflateMatch* matches_ = nullptr;
  uint32_t* begins_ = nullptr;  // Of each place's matches, and the end.
};

}  // namespace pixpress
