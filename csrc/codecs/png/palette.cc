#include "codecs/png/palette.h"

#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>

namespace pixpress {
namespace {

constexpr size_t kMostColors = 256;
constexpr uint32_t kPollRows = 64;

uint32_t Pack(Rgba c) {
  return c.r | uint32_t{c.g} << 8 | uint32_t{c.b} << 16 | uint32_t{c.a} << 24;
}

// The color of an 8-bit gray or RGB pixel with or without alpha.
Rgba PixelAt(const uint8_t* p, size_t channels) {
  const size_t blue = channels < 3 ? 0 : 2;
  return {p[0], p[blue / 2], p[blue], channels % 2 == 0 ? p[channels - 1] : uint8_t{255}};
}

std::vector<Rgba> ByLight(const ColorTable& table) {
  std::vector<Rgba> sorted = table.colors();
  const auto rank = [](Rgba c) {
    return std::tuple(c.a == 255, 299 * c.r + 587 * c.g + 114 * c.b, Pack(c));
  };
  std::sort(sorted.begin(), sorted.end(), [&](Rgba a, Rgba b) { return rank(a) < rank(b); });
  const std::vector<uint32_t>& uses = table.uses();
  const auto most = std::max_element(uses.begin(), uses.end()) - uses.begin();
  const Rgba common = table.colors()[static_cast<size_t>(most)];
  const auto brighter = std::count_if(sorted.begin(), sorted.end(),
                                      [&](Rgba color) { return rank(color) > rank(common); });
  // Opaque ones stay behind the others, which tRNS lists.
  const auto opaque =
      std::find_if(sorted.begin(), sorted.end(), [](Rgba color) { return color.a == 255; });
  if (2 * static_cast<size_t>(brighter) < sorted.size()) std::reverse(opaque, sorted.end());
  return sorted;
}

// How often two indices are beside or above each other.
class Neighbors {
 public:
  explicit Neighbors(size_t colors) : colors_(colors), counts_(colors * colors) {}

  void Add(uint8_t a, uint8_t b) {
    if (a == b) return;
    ++counts_[a * colors_ + b];
    ++counts_[b * colors_ + a];
  }
  uint32_t Of(size_t a, size_t b) const { return counts_[a * colors_ + b]; }
  size_t colors() const { return colors_; }

 private:
  size_t colors_;
  std::vector<uint32_t> counts_;
};

Result<Neighbors> CountNeighbors(const Image& indices, const WorkContext& context) {
  Neighbors neighbors(indices.layout().palette.size());
  const uint32_t width = indices.layout().width;
  for (uint32_t y = 0; y < indices.layout().height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = indices.row(0, y);
    const uint8_t* up = indices.row(0, y == 0 ? 0 : y - 1);
    neighbors.Add(row[0], up[0]);
    for (uint32_t x = 1; x < width; ++x) {
      neighbors.Add(row[x], row[x - 1]);
      neighbors.Add(row[x], up[x]);
    }
  }
  return neighbors;
}

// The color that is most often beside those of the chain is put to the end of it that it is nearer
// to, as Zeng, Li and Lei have it and Pinho and Neves weigh it.
std::vector<uint8_t> Chain(const Neighbors& neighbors, size_t first) {
  const size_t colors = neighbors.colors();
  std::deque<uint8_t> chain = {static_cast<uint8_t>(first)};
  std::vector<uint64_t> bond(colors);
  std::vector<bool> is_left(colors, true);
  is_left[first] = false;
  for (size_t last = first; chain.size() < colors;) {
    size_t best = colors;
    for (size_t i = 0; i < colors; ++i) {
      if (!is_left[i]) continue;
      bond[i] += neighbors.Of(i, last);
      if (best == colors || bond[i] > bond[best]) best = i;
    }
    int64_t pull = 0;  // To the front.
    for (size_t i = 0; i < chain.size(); ++i) {
      const auto weight = static_cast<int64_t>(chain.size()) - 1 - 2 * static_cast<int64_t>(i);
      pull += weight * int64_t{neighbors.Of(best, chain[i])};
    }
    is_left[best] = false;
    if (pull > 0) {
      chain.push_front(static_cast<uint8_t>(best));
    } else {
      chain.push_back(static_cast<uint8_t>(best));
    }
    last = best;
  }
  return {chain.begin(), chain.end()};
}

// From the most frequent color on, whose end of the chain is the first.
Result<std::vector<Rgba>> ByNeighbors(const Image& image, const ColorTable& table,
                                      const WorkContext& context) {
  const std::vector<Rgba>& colors = table.colors();
  PIXPRESS_ASSIGN_OR_RETURN(const Image indices, ToIndices(image, colors, context));
  PIXPRESS_ASSIGN_OR_RETURN(const Neighbors neighbors, CountNeighbors(indices, context));
  const std::vector<uint32_t>& uses = table.uses();
  const auto common = std::max_element(uses.begin(), uses.end()) - uses.begin();
  std::vector<uint8_t> chain = Chain(neighbors, static_cast<size_t>(common));
  const auto at = std::find(chain.begin(), chain.end(), common) - chain.begin();
  if (2 * static_cast<size_t>(at) > chain.size()) std::reverse(chain.begin(), chain.end());
  std::vector<Rgba> sorted;
  for (const uint8_t index : chain) sorted.push_back(colors[index]);
  return sorted;
}

void PutTransparentFirst(std::vector<Rgba>* palette) {
  std::stable_partition(palette->begin(), palette->end(),
                        [](Rgba color) { return color.a != 255; });
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

Result<std::vector<std::vector<Rgba>>> OrderPalette(const Image& image, const ColorTable& table,
                                                    size_t most, const WorkContext& context) {
  std::vector<std::vector<Rgba>> orders = {ByLight(table)};
  const auto add = [&](std::vector<Rgba> palette) {
    PutTransparentFirst(&palette);
    if (std::find(orders.begin(), orders.end(), palette) == orders.end()) {
      orders.push_back(std::move(palette));
    }
  };
  if (most > 1) {
    PIXPRESS_ASSIGN_OR_RETURN(std::vector<Rgba> chain, ByNeighbors(image, table, context));
    add(std::move(chain));
  }
  if (most > 2) add(table.colors());
  return orders;
}

Result<Image> ToIndices(const Image& image, const std::vector<Rgba>& palette,
                        const WorkContext& context) {
  ColorTable table;
  for (const Rgba color : palette) table.Add(color);
  const ImageLayout& from = image.layout();
  ImageLayout layout =
      ImageLayout::Interleaved(from.width, from.height, ColorModel::kIndexed, false);
  layout.palette = palette;
  PIXPRESS_ASSIGN_OR_RETURN(Image indexed, Image::Create(std::move(layout), context.meter));
  const size_t channels = from.planes[0].channels;
  Rgba last = palette[0];
  uint8_t index = 0;
  for (uint32_t y = 0; y < from.height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
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
