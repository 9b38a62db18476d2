#include "codecs/png/palette.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pixpress {
namespace {

constexpr size_t kMostColors = 256;

uint32_t Pack(Rgba c) {
  return c.r | uint32_t{c.g} << 8 | uint32_t{c.b} << 16 | uint32_t{c.a} << 24;
}

}  // namespace

size_t ColorTable::SlotOf(Rgba color) const {
  size_t slot = Pack(color) * 0x9E3779B1u >> 22;
  while (indices_[slot] >= 0 && colors_[static_cast<size_t>(indices_[slot])] != color) {
    slot = (slot + 1) % kSlots;
  }
  return slot;
}

bool ColorTable::Add(Rgba color) {
  const size_t slot = SlotOf(color);
  if (indices_[slot] >= 0) {
    ++uses_[static_cast<size_t>(indices_[slot])];
    return true;
  }
  if (colors_.size() == kMostColors) return false;
  indices_[slot] = static_cast<int16_t>(colors_.size());
  colors_.push_back(color);
  uses_.push_back(1);
  return true;
}

void ColorTable::Sort() {
  std::vector<Rgba> sorted = colors_;
  const auto rank = [](Rgba c) {
    return std::tuple(c.a == 255, 299 * c.r + 587 * c.g + 114 * c.b, Pack(c));
  };
  std::sort(sorted.begin(), sorted.end(), [&](Rgba a, Rgba b) { return rank(a) < rank(b); });
  const auto most = std::max_element(uses_.begin(), uses_.end()) - uses_.begin();
  const Rgba common = colors_[static_cast<size_t>(most)];
  const auto brighter = std::count_if(sorted.begin(), sorted.end(),
                                      [&](Rgba color) { return rank(color) > rank(common); });
  // Opaque ones stay behind the others, which tRNS lists.
  const auto opaque =
      std::find_if(sorted.begin(), sorted.end(), [](Rgba color) { return color.a == 255; });
  if (2 * static_cast<size_t>(brighter) < sorted.size()) std::reverse(opaque, sorted.end());
  colors_.clear();
  uses_.clear();
  indices_.fill(-1);
  for (const Rgba color : sorted) Add(color);
}

Result<Image> ToIndices(const Image& image, const ColorTable& table, const WorkContext& context) {
  const ImageLayout& from = image.layout();
  ImageLayout layout =
      ImageLayout::Interleaved(from.width, from.height, ColorModel::kIndexed, false);
  layout.palette = table.colors();
  PIXPRESS_ASSIGN_OR_RETURN(Image indexed, Image::Create(std::move(layout), context.meter));
  const size_t channels = from.planes[0].channels;
  Rgba last = table.colors()[0];
  uint8_t index = 0;
  for (uint32_t y = 0; y < from.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = image.row(0, y);
    uint8_t* out = indexed.row(0, y);
    for (uint32_t x = 0; x < from.width; ++x) {
      const Rgba color = PixelAt(row + x * channels, channels);
      if (color != last) index = table.IndexOf(color);
      last = color;
      out[x] = index;
    }
  }
  return indexed;
}

}  // namespace pixpress
