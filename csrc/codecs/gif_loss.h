#pragma once
// How far the colors of a lossy GIF may be from those that were asked for.

#include <array>
#include <cstdint>
#include <span>

#include "codecs/codec.h"
#include "kernels/palette_color.h"

namespace pixpress {

// Red, green and blue, in the space of palettes.
using GifColorError = std::array<int16_t, 3>;

// A squared distance in that space (kernels/palette_color.h) which every pixel keeps to.
class GifLoss {
 public:
  // What a pixel of a string counts that shows its own color.
  static constexpr int kPixelWorth = 64;

  GifLoss() = default;
  // None for lossless GIF, and from the default quality on.
  explicit GifLoss(const EncodeOptions& options);
  bool is_none() const { return most_ == 0; }

  // Whether `shown` will do for `wanted`; both opaque GifColor()s.
  bool Allows(uint32_t wanted, uint32_t shown) const;

  // The palette of the indices below; GifColor()s.
  void SetPalette(std::span<const uint32_t> colors);
  // What showing index `shown` for `wanted` counts, after pixels that left `error` behind; negative
  // if it is too far. `left` is what is left behind then.
  int Worth(uint8_t wanted, uint8_t shown, const GifColorError& error, GifColorError* left) const {
    const PaletteColor& want = colors_[wanted];
    const PaletteColor& show = colors_[shown];
    int32_t own = 0;
    int32_t diffused = 0;
    for (size_t c = 0; c < error.size(); ++c) {
      const int difference = want[c] - show[c];
      const int rest = difference + error[c];
      own += difference * difference;
      diffused += rest * rest;
      (*left)[c] = static_cast<int16_t>(rest * 3 / 4);
    }
    if (own > most_ || diffused > most_) return -1;
    return kPixelWorth - static_cast<int>(int64_t{diffused} * kPixelWorth / most_);
  }

 private:
  int32_t most_ = 0;
  std::array<PaletteColor, 256> colors_ = {};
};

}  // namespace pixpress
