#pragma once
// The colors of an image with at most 256 of them.

#include <array>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

// Colors in order of appearance, until there are more than 256.
class ColorTable {
 public:
  ColorTable() { indices_.fill(-1); }
  // Returns false once there are too many.
  bool Add(Rgba color);
  // `color` was added.
  uint8_t IndexOf(Rgba color) const { return static_cast<uint8_t>(indices_[SlotOf(color)]); }
  const std::vector<Rgba>& colors() const { return colors_; }
  // Transparent entries first, so that tRNS ends early; then from dark to bright or from bright to
  // dark, so that neighbors in the image are neighbors in the palette: the color that was added
  // most often is in the first half, as rows begin with a low byte, too.
  void Sort();

 private:
  static constexpr size_t kSlots = 1024;
  size_t SlotOf(Rgba color) const;

  std::array<int16_t, kSlots> indices_;  // Open addressing; -1 is free.
  std::vector<Rgba> colors_;
  std::vector<uint32_t> uses_;  // How often each was added.
};

// The color of an 8-bit gray or RGB pixel with or without alpha.
inline Rgba PixelAt(const uint8_t* p, size_t channels) {
  const size_t blue = channels < 3 ? 0 : 2;
  return {p[0], p[blue / 2], p[blue], channels % 2 == 0 ? p[channels - 1] : uint8_t{255}};
}

// An indexed image of `image`, all of whose colors are in `table`.
Result<Image> ToIndices(const Image& image, const ColorTable& table, const WorkContext& context);

}  // namespace pixpress
