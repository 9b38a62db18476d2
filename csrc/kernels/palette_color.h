#pragma once
// The space in which palettes are chosen: premultiplied color, each channel scaled by how visible
// its differences are. Integers of 16 bits; a squared distance fits in 22 bits.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "image/pixel_format.h"

namespace pixpress {

// Red, green, blue, alpha.
using PaletteColor = std::array<int16_t, 4>;

inline constexpr std::array<int, 4> kPaletteScale = {3, 4, 2, 4};
inline constexpr int kOpaqueAlpha = 255 * kPaletteScale[3];

inline int32_t SquaredDistance(const PaletteColor& a, const PaletteColor& b) {
  int32_t sum = 0;
  for (size_t c = 0; c < 4; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

inline PaletteColor ToPaletteColor(Rgba color) {
  const auto premultiplied = [&](int value, size_t channel) {
    return static_cast<int16_t>((value * color.a * kPaletteScale[channel] + 127) / 255);
  };
  return {premultiplied(color.r, 0), premultiplied(color.g, 1), premultiplied(color.b, 2),
          static_cast<int16_t>(color.a * kPaletteScale[3])};
}

inline Rgba ToStraight(const PaletteColor& color) {
  const int alpha = (color[3] + kPaletteScale[3] / 2) / kPaletteScale[3];
  const auto straight = [&](size_t channel) {
    const int whole = alpha * kPaletteScale[channel];
    return static_cast<uint8_t>(std::min(255, (color[channel] * 255 + whole / 2) / whole));
  };
  if (alpha <= 0) return {0, 0, 0, 0};
  return {straight(0), straight(1), straight(2), static_cast<uint8_t>(alpha)};
}

// Pixels of an image as colors: transparent ones are all the same, whatever they hide.
inline Rgba PixelColor(const uint8_t* pixel, uint8_t channels) {
  if (channels == 3) return {pixel[0], pixel[1], pixel[2], 255};
  if (pixel[3] == 0) return {0, 0, 0, 0};
  return {pixel[0], pixel[1], pixel[2], pixel[3]};
}

inline uint32_t PackColor(Rgba color) {
  return color.r | color.g << 8 | color.b << 16 | uint32_t{color.a} << 24;
}

inline Rgba UnpackColor(uint32_t key) {
  return {static_cast<uint8_t>(key), static_cast<uint8_t>(key >> 8),
          static_cast<uint8_t>(key >> 16), static_cast<uint8_t>(key >> 24)};
}

}  // namespace pixpress
