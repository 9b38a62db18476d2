#pragma once
// What the numbers of an image mean, and how they lie in memory.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pixpress {

enum class ColorModel : uint8_t { kGray, kRgb, kYCbCr, kCmyk, kIndexed };

struct Rgba {
  uint8_t r = 0, g = 0, b = 0, a = 255;
  bool operator==(const Rgba&) const = default;
};

// One plane of samples. An interleaved image has one plane of several channels; YCbCr has three of
// one channel each, of any sizes: luma is not assumed to be the largest.
struct PlaneLayout {
  uint32_t width = 0;   // In pixels of this plane.
  uint32_t height = 0;  // In rows of this plane.
  uint8_t channels = 1;
  // The sampling factors of JPEG: this plane has h_samples columns and v_samples rows where the
  // largest plane has max(h_samples) and max(v_samples). Samples are centered on the area that they
  // cover, so the phase follows from the factors. 1 and 1 for interleaved images.
  uint8_t h_samples = 1;
  uint8_t v_samples = 1;
  bool operator==(const PlaneLayout&) const = default;
};

// Gray: 1 plane of 1 channel (2 with alpha). RGB: 1 plane of 3 channels (4 with alpha). YCbCr: 3
// planes, full-range BT.601 as in JPEG. CMYK: 1 plane of 4, 0 = no ink. Indexed: 1 plane of 1
// channel, 8 bits, and the palette. Alpha is the last channel and not premultiplied.
struct ImageLayout {
  uint32_t width = 0;
  uint32_t height = 0;
  ColorModel color = ColorModel::kRgb;
  bool has_alpha = false;
  uint8_t bits = 8;  // 8, or 16 in native byte order.
  uint8_t plane_count = 1;
  std::array<PlaneLayout, 3> planes;
  std::vector<Rgba> palette;  // Of indexed images; at most 256.

  size_t bytes_per_sample() const { return bits == 16 ? 2 : 1; }
  size_t row_bytes(size_t plane) const {
    return size_t{planes[plane].width} * planes[plane].channels * bytes_per_sample();
  }
  uint64_t total_bytes() const {
    uint64_t bytes = 0;
    for (size_t p = 0; p < plane_count; ++p) bytes += uint64_t{row_bytes(p)} * planes[p].height;
    return bytes;
  }
  uint8_t max_h_samples() const;
  uint8_t max_v_samples() const;

  // A one-plane layout: gray, RGB, CMYK or indexed.
  static ImageLayout Interleaved(uint32_t width, uint32_t height, ColorModel color, bool has_alpha,
                                 uint8_t bits = 8);
  // Three planes of which chroma has one sample where luma has `h` x `v` (4:2:0 is 2, 2).
  static ImageLayout Ycbcr(uint32_t width, uint32_t height, uint8_t h, uint8_t v);
};

}  // namespace pixpress
