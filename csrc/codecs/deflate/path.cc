#include "codecs/deflate/path.h"

#include <algorithm>

#include "base/checked_math.h"
#include "kernels/least_sum.h"

namespace pixpress {
namespace {

// A match of three bytes from farther away takes more than three literals.
constexpr uint32_t kNearBytes = 4096;
// From here on the match at the next byte is not looked at.
constexpr uint32_t kLongBytes = 32;

}  // namespace

Status DeflatePath::Init(Meter& meter) {
  PIXPRESS_ASSIGN_OR_RETURN(costs_memory_, meter.Allocate((data_.size() + 1) * sizeof(uint32_t)));
  PIXPRESS_ASSIGN_OR_RETURN(tokens_memory_,
                            meter.Allocate((data_.size() + 1) * sizeof(DeflateToken)));
  costs_ = costs_memory_.as<uint32_t>();
  tokens_ = tokens_memory_.as<DeflateToken>();
  return Status();
}

uint64_t DeflatePath::MemoryBytes(size_t data_bytes) {
  return SaturatingMul(data_bytes + 1, sizeof(uint32_t) + sizeof(DeflateToken));
}

DeflateCounts DeflatePath::CountLongest() const {
  const auto longest = [&](size_t place) {
    const auto found = matches_.At(place);
    return found.empty() ? DeflateMatch() : found.back();
  };
  DeflateCounts counts;
  for (size_t at = 0; at < data_.size();) {
    const DeflateMatch match = longest(at);
    bool is_good = match.length > kShortestMatch ||
                   (match.length == kShortestMatch && match.distance < kNearBytes);
    if (is_good && match.length < kLongBytes && at + 1 < data_.size()) {
      is_good = longest(at + 1).length <= match.length;
    }
    counts.Add(is_good ? DeflateToken{match.length, match.distance} : DeflateToken{0, data_[at]});
    at += is_good ? match.length : 1;
  }
  counts.symbols[kEndOfBlock] = 1;
  return counts;
}

DeflateCounts DeflatePath::Choose(size_t begin, size_t end, const DeflateCosts& costs) {
  costs_[end] = 0;
  for (size_t at = end; at-- > begin;) {
    const auto left = static_cast<uint32_t>(std::min<size_t>(end - at, kLongestMatch));
    const uint32_t* const behind = costs_ + at;
    uint32_t least = behind[1] + costs.literals[data_[at]];
    DeflateToken best = {0, data_[at]};
    uint32_t length = kShortestMatch;
    for (const DeflateMatch match : matches_.At(at)) {
      const uint32_t longest = std::min<uint32_t>(match.length, left);
      if (longest < length) continue;
      const LeastSum of_length =
          FindLeastSum(behind + length, costs.lengths.data() + length, longest - length + 1);
      const uint32_t best_length = length + of_length.place;
      length = longest + 1;
      const uint32_t cost = of_length.sum + costs.distances[DistanceSlot(match.distance)];
      if (cost > least) continue;
      least = cost;
      best = {static_cast<uint16_t>(best_length), match.distance};
    }
    costs_[at] = least;
    tokens_[at] = best;
  }
  DeflateCounts counts;
  ForEach(begin, end, [&](DeflateToken token) { counts.Add(token); });
  counts.symbols[kEndOfBlock] = 1;
  return counts;
}

}  // namespace pixpress
