#pragma once
// How to encode an image.

#include <cstdint>

namespace pixpress {

enum class Progressive : uint8_t { kAuto, kOff, kOn };

// What experts choose themselves, format by format; -1 leaves it to the effort.
struct ExpertOptions {
  int jpeg_trellis = -1;      // 0 or 1: whether levels are chosen by what they cost and show.
  int jpeg_scan_search = -1;  // 0 or 1: whether the scans of a progressive file are searched for.
  int png_compression_level = -1;  // 1 to 12, of libdeflate.
  int png_filter = -1;             // A PngFilter up to kLeastSum, for all rows.
  int webp_method = -1;            // 0 to 6
  int webp_sharp_yuv = -1;         // 0 or 1: from RGB.
  int avif_speed = -1;             // 0 to 10

  bool operator==(const ExpertOptions&) const = default;
};

struct EncodeOptions {
  int quality = 80;  // 1 to 100
  int effort = 5;    // 1 to 10
  bool lossless = false;
  bool keeps_bits = false;  // PNG: 16 stay 16 also where 8 would do.
  Progressive progressive = Progressive::kAuto;
  // JPEG from RGB: pixels per chroma sample. Planar input brings its own sampling.
  uint8_t chroma_h = 2;
  uint8_t chroma_v = 2;
  int near_lossless = 100;  // WebP: 0 to 100, 100 is off.
  int alpha_quality = 100;  // WebP
  uint32_t colors = 256;    // GIF: of a palette, 2 to 256.
  float dither = 1.0f;      // GIF: 0 to 1.
  // Animations: expect no frame to be like another. What FrameSink::may_be_too_noisy() asks for.
  bool noisy_frames = false;
  ExpertOptions expert = {};
};

}  // namespace pixpress
