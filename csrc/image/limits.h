#pragma once
// What an untrusted image may cost before it is refused. Checked before anything is allocated.

#include <cstdint>
#include <limits>

#include "base/status.h"

namespace pixpress {

struct Limits {
  uint64_t max_pixels = 178'956'970;
  uint64_t max_total_pixels = 1'000'000'000;  // Over all frames.
  uint32_t max_frames = 10'000;
  uint32_t max_scans = 100;                   // Of a JPEG.
  uint64_t max_pixel_scans = 10'000'000'000;  // Pixels times scans of a JPEG.
  uint64_t max_metadata_bytes = 8u << 20;
  uint64_t max_input_bytes = 2ull << 30;
};

// For what we made ourselves.
inline constexpr Limits kNoLimits = {
    .max_pixels = std::numeric_limits<uint64_t>::max(),
    .max_total_pixels = std::numeric_limits<uint64_t>::max(),
    .max_frames = std::numeric_limits<uint32_t>::max(),
    .max_scans = std::numeric_limits<uint32_t>::max(),
    .max_pixel_scans = std::numeric_limits<uint64_t>::max(),
    .max_metadata_bytes = std::numeric_limits<uint64_t>::max(),
    .max_input_bytes = std::numeric_limits<uint64_t>::max(),
};

// kLimitExceeded with the numbers, or kCorruptImage for an empty side.
Status CheckDimensions(uint64_t width, uint64_t height, const Limits& limits);
// kLimitExceeded if all frames of such a canvas are too many, or too many pixels together.
Status CheckFrames(uint64_t frames, uint64_t width, uint64_t height, const Limits& limits);
Status CheckInputBytes(uint64_t input_bytes, const Limits& limits);
Status CheckMetadataBytes(uint64_t metadata_bytes, const Limits& limits);

}  // namespace pixpress
