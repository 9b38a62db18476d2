#include "codecs/png_reduce.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/convert.h"

namespace pixpress {
namespace {

constexpr size_t kMostColors = 256;

struct Findings {
  bool is_opaque = true;
  bool is_gray = true;
  // Index by packed color, in order of appearance; more than 256 means no palette.
  std::unordered_map<uint32_t, uint8_t> indices;
  std::vector<Rgba> colors;
  bool has_palette = true;
};

Rgba PixelAt(const uint8_t* p, uint8_t channels) {
  switch (channels) {
    case 1:
      return {p[0], p[0], p[0], 255};
    case 2:
      return {p[0], p[0], p[0], p[1]};
    case 3:
      return {p[0], p[1], p[2], 255};
    default:
      return {p[0], p[1], p[2], p[3]};
  }
}

uint32_t Pack(Rgba c) { return c.r | c.g << 8 | c.b << 16 | uint32_t{c.a} << 24; }

void Look(Rgba color, Findings* found) {
  found->is_opaque &= color.a == 255;
  found->is_gray &= color.r == color.g && color.g == color.b;
  if (!found->has_palette) return;
  const auto [entry, is_new] =
      found->indices.try_emplace(Pack(color), static_cast<uint8_t>(found->colors.size()));
  if (!is_new) return;
  found->has_palette = found->colors.size() < kMostColors;
  if (found->has_palette) found->colors.push_back(color);
}

Result<Findings> LookAtAll(const Image& image, const WorkContext& context) {
  Findings found;
  const PlaneLayout& plane = image.layout().planes[0];
  for (uint32_t y = 0; y < plane.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = image.row(0, y);
    Rgba last = PixelAt(row, plane.channels);
    Look(last, &found);
    for (uint32_t x = 1; x < plane.width; ++x) {
      const Rgba color = PixelAt(row + x * plane.channels, plane.channels);
      if (color == last) continue;
      Look(color, &found);
      last = color;
    }
    if (!found.has_palette && !found.is_opaque && !found.is_gray) break;
  }
  return found;
}

// Transparent entries first, so that tRNS ends early; then from dark to bright, so that neighbors
// in the image are neighbors in the palette.
std::vector<uint8_t> SortPalette(Findings* found) {
  std::vector<uint8_t> order(found->colors.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint8_t>(i);
  const auto rank = [&](uint8_t i) {
    const Rgba c = found->colors[i];
    return std::tuple(c.a == 255, 299 * c.r + 587 * c.g + 114 * c.b, Pack(c));
  };
  std::sort(order.begin(), order.end(), [&](uint8_t a, uint8_t b) { return rank(a) < rank(b); });
  std::vector<uint8_t> new_index(order.size());
  std::vector<Rgba> sorted;
  for (size_t i = 0; i < order.size(); ++i) {
    new_index[order[i]] = static_cast<uint8_t>(i);
    sorted.push_back(found->colors[order[i]]);
  }
  found->colors = std::move(sorted);
  return new_index;
}

Result<Image> ToIndices(const Image& image, Findings* found, const WorkContext& context) {
  const std::vector<uint8_t> new_index = SortPalette(found);
  const ImageLayout& from = image.layout();
  ImageLayout layout =
      ImageLayout::Interleaved(from.width, from.height, ColorModel::kIndexed, false);
  layout.palette = found->colors;
  PIXPRESS_ASSIGN_OR_RETURN(Image indexed, Image::Create(std::move(layout), context.meter));
  const uint8_t channels = from.planes[0].channels;
  for (uint32_t y = 0; y < from.height; ++y) {
    const uint8_t* row = image.row(0, y);
    uint8_t* out = indexed.row(0, y);
    for (uint32_t x = 0; x < from.width; ++x) {
      const uint32_t key = Pack(PixelAt(row + x * channels, channels));
      out[x] = new_index[found->indices.find(key)->second];
    }
  }
  return indexed;
}

}  // namespace

Result<Image> ReducePng(Image image, const WorkContext& context) {
  const ImageLayout& from = image.layout();
  if (from.bits != 8 || from.color == ColorModel::kIndexed) return image;
  PIXPRESS_ASSIGN_OR_RETURN(Findings found, LookAtAll(image, context));
  // Gray stays gray: a palette would come back as color.
  const bool is_plain_gray = found.is_opaque && (from.color == ColorModel::kGray ||
                                                 (found.is_gray && found.colors.size() > 16));
  if (found.has_palette && !is_plain_gray) return ToIndices(image, &found, context);
  const ColorModel color = found.is_gray ? ColorModel::kGray : from.color;
  const bool has_alpha = from.has_alpha && !found.is_opaque;
  if (color == from.color && has_alpha == from.has_alpha) return image;
  PIXPRESS_ASSIGN_OR_RETURN(
      Image reduced,
      Image::Create(ImageLayout::Interleaved(from.width, from.height, color, has_alpha),
                    context.meter));
  for (uint32_t y = 0; y < from.height; ++y) {
    ConvertChannelsRow(image.row(0, y), from.color, from.has_alpha, color, has_alpha, 8, from.width,
                       reduced.row(0, y));
  }
  return reduced;
}

}  // namespace pixpress
