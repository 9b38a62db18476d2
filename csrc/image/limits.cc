#include "image/limits.h"

#include <string>

#include "base/checked_math.h"

namespace pixpress {
namespace {

Status CheckBytes(uint64_t bytes, uint64_t most, const char* what, const char* limit) {
  if (bytes <= most) return Status();
  return Status(StatusCode::kLimitExceeded, std::string(what) + " has " + std::to_string(bytes) +
                                                " bytes; " + limit + " is " + std::to_string(most));
}

}  // namespace

Status CheckDimensions(uint64_t width, uint64_t height, const Limits& limits) {
  if (width == 0 || height == 0) {
    return Status(StatusCode::kCorruptImage, "the image is " + std::to_string(width) + " x " +
                                                 std::to_string(height) + " pixels");
  }
  if (SaturatingMul(width, height) <= limits.max_pixels) return Status();
  return Status(StatusCode::kLimitExceeded, "the image is " + std::to_string(width) + " x " +
                                                std::to_string(height) + " pixels; max_pixels is " +
                                                std::to_string(limits.max_pixels));
}

Status CheckFrames(uint64_t frames, uint64_t width, uint64_t height, const Limits& limits) {
  if (frames > limits.max_frames) {
    return Status(StatusCode::kLimitExceeded, "the image has " + std::to_string(frames) +
                                                  " frames; max_frames is " +
                                                  std::to_string(limits.max_frames));
  }
  const uint64_t pixels = SaturatingMul(SaturatingMul(width, height), frames);
  if (pixels <= limits.max_total_pixels) return Status();
  return Status(StatusCode::kLimitExceeded, "the frames have " + std::to_string(pixels) +
                                                " pixels together; max_total_pixels is " +
                                                std::to_string(limits.max_total_pixels));
}

Status CheckInputBytes(uint64_t input_bytes, const Limits& limits) {
  return CheckBytes(input_bytes, limits.max_input_bytes, "the input", "max_input_bytes");
}

Status CheckMetadataBytes(uint64_t metadata_bytes, const Limits& limits) {
  return CheckBytes(metadata_bytes, limits.max_metadata_bytes, "the metadata",
                    "max_metadata_bytes");
}

}  // namespace pixpress
