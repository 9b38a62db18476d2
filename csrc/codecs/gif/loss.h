#pragma once
// How far the colors of a lossy GIF may be from those that were asked for.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codecs/codec.h"
#include "kernels/palette_color.h"

namespace pixpress {

// Red, green and blue, in the space of palettes.
using GifColorError = std::array<int16_t, 3>;

// How opaque GifColor()s differ in that space.
inline GifColorError GifDifference(uint32_t wanted, uint32_t shown) {
  GifColorError difference;
  for (size_t c = 0; c < difference.size(); ++c) {
    const int wanted_value = static_cast<int>(wanted >> 8 * c & 255);
    const int shown_value = static_cast<int>(shown >> 8 * c & 255);
    difference[c] = static_cast<int16_t>((wanted_value - shown_value) * kPaletteScale[c]);
  }
  return difference;
}

inline int32_t SquaredLength(const GifColorError& error) {
  return error[0] * error[0] + error[1] * error[1] + error[2] * error[2];
}

// A squared distance in that space (kernels/palette_color.h) which every pixel keeps to.
class GifLoss {
 public:
  // What a pixel of a string counts that shows its own color.
  static constexpr int kPixelWorth = 64;

  GifLoss() = default;
  // None for lossless GIF, and from the default quality on.
  explicit GifLoss(const EncodeOptions& options);
  bool is_none() const { return most_ == 0; }
  int32_t most() const { return most_; }

  // Whether `shown` will do for `wanted`; both opaque GifColor()s.
  bool Allows(uint32_t wanted, uint32_t shown) const {
    return SquaredLength(GifDifference(wanted, shown)) <= most_;
  }

  // The palette of the indices below; GifColor()s.
  void SetPalette(std::span<const uint32_t> colors);
  // The indices that a string for `index` may begin with, itself among them.
  std::span<const uint8_t> Near(uint8_t index) const {
    return std::span(near_).subspan(near_ends_[index], near_ends_[index + 1u] - near_ends_[index]);
  }
  // Whether the error of index `shown` in place of `wanted` is small enough.
  bool MayShow(uint8_t wanted, uint8_t shown) const {
    return may_show_[size_t{wanted} << 8 | shown] != 0;
  }
  // What showing an index for `wanted` counts that may be shown, after pixels that left `error`
  // behind; negative if it is too far then. `left` is what is left behind.
  int Worth(uint8_t wanted, uint8_t shown, const GifColorError& error, GifColorError* left) const {
    const PaletteColor& want = colors_[wanted];
    const PaletteColor& show = colors_[shown];
    int32_t diffused = 0;
    for (size_t c = 0; c < error.size(); ++c) {
      const int rest = want[c] - show[c] + error[c];
      diffused += rest * rest;
      (*left)[c] = static_cast<int16_t>(rest * 3 / 4);
    }
    if (diffused > most_) return -1;
    return kPixelWorth - static_cast<int>(diffused * cost_ >> kCostBits);
  }

 private:
  static constexpr int kCostBits = 32;

  int32_t most_ = 0;
  int64_t cost_ = 0;  // Of a squared distance of 1, in units of 1 << kCostBits.
  std::vector<uint32_t> palette_;
  std::array<PaletteColor, 256> colors_ = {};
  std::vector<uint8_t> may_show_;
  std::vector<uint8_t> near_;  // One list after the other.
  std::array<size_t, 257> near_ends_ = {};
};

}  // namespace pixpress
