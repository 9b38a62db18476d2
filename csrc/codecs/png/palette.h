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
  // How often each was added.
  const std::vector<uint32_t>& uses() const { return uses_; }

 private:
  static constexpr size_t kSlots = 1024;
  size_t SlotOf(Rgba color) const;

  std::array<int16_t, kSlots> indices_;  // Open addressing; -1 is free.
  std::vector<Rgba> colors_;
  std::vector<uint32_t> uses_;
};

// The colors of `table` in at most `most` orders, each with transparent ones first, so that tRNS
// ends early:
// - from dark to bright or from bright to dark, so that neighbors in the image are neighbors in the
//   palette: the color that was added most often is in the first half, as rows begin with a low
//   byte, too;
// - as a chain of colors that are neighbors in the image;
// - as they were added first.
Result<std::vector<std::vector<Rgba>>> OrderPalette(const Image& image, const ColorTable& table,
                                                    size_t most, const WorkContext& context);

// An indexed image of `image`, all of whose colors are in `palette`, none twice.
Result<Image> ToIndices(const Image& image, const std::vector<Rgba>& palette,
                        const WorkContext& context);

}  // namespace pixpress
