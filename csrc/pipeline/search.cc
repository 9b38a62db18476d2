#include "pipeline/search.h"

#include <optional>
#include <string>
#include <utility>

namespace pixpress {
namespace {

constexpr int kMostEncodes = 6;
constexpr int kLowestQuality = 1;

// So little below the limit that a better quality would hardly be seen.
bool IsCloseTo(uint64_t size_bytes, uint64_t max_bytes) {
  return size_bytes >= max_bytes - max_bytes / 32;
}

}  // namespace

Result<SearchResult> SearchQuality(const EncodeAt& encode, int asked_quality, uint64_t max_bytes,
                                   Meter& meter) {
  std::optional<SearchResult> best;
  // What is left to try. `highest` was too large if it is below the asked quality.
  int low = kLowestQuality;
  int high = asked_quality;
  int quality = asked_quality;
  for (int encodes = 1; low <= high; ++encodes) {
    ByteChain out(meter);
    PIXPRESS_RETURN_IF_ERROR(encode(quality, &out));
    const uint64_t size_bytes = out.size_bytes();
    if (max_bytes == 0 || size_bytes <= max_bytes) {
      best.emplace(SearchResult{std::move(out), quality, std::nullopt});
      if (quality == asked_quality || IsCloseTo(size_bytes, max_bytes)) break;
      low = quality + 1;
    } else {
      if (quality == kLowestQuality) return TooLarge(size_bytes, max_bytes);
      high = quality - 1;
    }
    if (best.has_value() && encodes >= kMostEncodes) break;
    quality = low + (high - low) / 2;
  }
  return std::move(*best);
}

Status TooLarge(uint64_t smallest_bytes, uint64_t max_bytes) {
  return Status(StatusCode::kLimitExceeded,
                "max_bytes is " + std::to_string(max_bytes) + ", and quality 1 still makes " +
                    std::to_string(smallest_bytes) + " bytes; a smaller width or height would fit");
}

Status CheckMaxBytes(uint64_t size_bytes, uint64_t max_bytes) {
  if (max_bytes == 0 || size_bytes <= max_bytes) return Status();
  return Status(StatusCode::kLimitExceeded, "max_bytes is " + std::to_string(max_bytes) +
                                                ", and the output has " +
                                                std::to_string(size_bytes) + " bytes");
}

}  // namespace pixpress
