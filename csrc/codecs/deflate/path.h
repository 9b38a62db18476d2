#pragma once
// The tokens that tell data at the least cost.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/deflate/cost.h"
#include "codecs/deflate/matches.h"
#include "codecs/deflate/symbols.h"
#include "memory/meter.h"

namespace pixpress {

// One thread at a time; `data` and `matches` outlive it.
class DeflatePath {
 public:
  DeflatePath(std::span<const uint8_t> data, const DeflateMatches& matches)
      : data_(data), matches_(matches) {}
  Status Init(Meter& meter);
  // What Init() allocates.
  static uint64_t MemoryBytes(size_t data_bytes);

  // What the longest matches would take, for first costs.
  DeflateCounts CountLongest() const;
  // Choose the tokens of the bytes from `begin` to `end`, and tell how often each is used.
  DeflateCounts Choose(size_t begin, size_t end, const DeflateCosts& costs);
  // Call `use` with each token that was chosen.
  template <typename Use>
  void ForEach(size_t begin, size_t end, const Use& use) const {
    for (size_t at = begin; at < end;) {
      use(tokens_[at]);
      at += tokens_[at].length == 0 ? 1 : tokens_[at].length;
    }
  }

 private:
  const std::span<const uint8_t> data_;
  const DeflateMatches& matches_;
  Buffer costs_memory_;
  Buffer tokens_memory_;
  uint32_t* costs_ = nullptr;       // From each byte to the end.
  DeflateToken* tokens_ = nullptr;  // The best one at each byte.
};

}  // namespace pixpress
