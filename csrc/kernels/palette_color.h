#pragma once
// The space in which palettes are chosen: color on gray ground, and alpha, each scaled by how
// visible its differences are. A squared distance is then the mean of those on black and on white
// ground: with an error p of premultiplied color and a of alpha, (p^2 + (p - a)^2) / 2 is
// (p - a / 2)^2 + (a / 2)^2 in each channel, and 9 + 16 + 4 quarters of a^2 are about 3^2 of them.
// Integers of 16 bits; a squared distance fits in 22 bits.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "image/pixel_format.h"

namespace pixpress {

// Red, green, blue, alpha.
using PaletteColor = std::array<int16_t, 4>;

inline constexpr std::array<int, 4> kPaletteScale = {3, 4, 2, 3};
inline constexpr int kOpaqueAlpha = 255 * kPaletteScale[3];
inline constexpr int kMostCoordinate = 255 * std::ranges::max(kPaletteScale);

inline int32_t SquaredDistance(const PaletteColor& a, const PaletteColor& b) {
  int32_t sum = 0;
  for (size_t c = 0; c < 4; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

// Of a color in parts of a level, 1 / `parts`.
inline PaletteColor ToPaletteColor(const std::array<int64_t, 4>& color, int64_t parts) {
  const int64_t opaque = 255 * parts, clear = opaque - color[3];
  const auto on_gray = [&](size_t c) {
    const int64_t twice = 2 * color[c] * color[3] + opaque * clear;
    return static_cast<int16_t>((twice * kPaletteScale[c] + opaque * parts) / (2 * opaque * parts));
  };
  return {on_gray(0), on_gray(1), on_gray(2),
          static_cast<int16_t>((color[3] * kPaletteScale[3] + parts / 2) / parts)};
}

inline PaletteColor ToPaletteColor(Rgba color) {
  return ToPaletteColor({color.r, color.g, color.b, color.a}, 1);
}

inline Rgba ToStraight(const PaletteColor& color) {
  const int alpha = (color[3] + kPaletteScale[3] / 2) / kPaletteScale[3];
  if (alpha <= 0) return {0, 0, 0, 0};
  const auto straight = [&](size_t c) {
    const int whole = alpha * kPaletteScale[c];
    const int own = 2 * color[c] - (255 - alpha) * kPaletteScale[c];  // Without the gray, twice.
    return static_cast<uint8_t>(std::clamp((own * 255 + whole) / (2 * whole), 0, 255));
  };
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
