#include "codecs/png/reduce.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "codecs/png/palette.h"
#include "kernels/convert.h"

namespace pixpress {
namespace {

constexpr uint32_t kPollRows = 64;

template <typename T>
struct Pixel {
  std::array<T, 3> color;
  T alpha;
  bool operator==(const Pixel&) const = default;
};

template <typename T>
Pixel<T> Load(const T* p, size_t channels) {
  constexpr T kOpaque = static_cast<T>(~T{0});
  const size_t last = channels < 3 ? 0 : 2;
  return {{p[0], p[last / 2], p[last]}, channels % 2 == 0 ? p[channels - 1] : kOpaque};
}

// What is true of all pixels looked at.
template <typename T>
struct Findings {
  static constexpr T kOpaque = static_cast<T>(~T{0});

  bool is_opaque = true;
  bool is_gray = true;
  // Alpha is 0 or opaque, 0 for one color, and that color is never opaque.
  bool has_key = true;
  std::optional<std::array<T, 3>> key;
  uint8_t gray_depth = sizeof(T) == 2 ? 16 : 1;
  bool has_palette = sizeof(T) == 1;
  ColorTable table;

  // No further pixel can bring anything to light.
  bool is_settled(bool has_alpha) const {
    const bool is_alpha_settled = !has_alpha || (!is_opaque && !has_key);
    return is_alpha_settled && !is_gray && !has_palette;
  }

  void Look(const Pixel<T>& p) {
    const bool is_clear = p.alpha != kOpaque;
    is_opaque &= !is_clear;
    is_gray &= p.color[0] == p.color[1] && p.color[1] == p.color[2];
    if (is_clear && has_key) {
      if (!key.has_value()) key = p.color;
      has_key = p.alpha == 0 && *key == p.color;
    }
    if constexpr (sizeof(T) == 1) {
      if (has_palette) has_palette = table.Add({p.color[0], p.color[1], p.color[2], p.alpha});
      if (is_gray) NarrowDepth(p.color[0]);
    }
  }
  void NarrowDepth(T gray) {
    if (gray_depth == 1 && gray != 0 && gray != kOpaque) gray_depth = 2;
    if (gray_depth == 2 && gray % 85 != 0) gray_depth = 4;
    if (gray_depth == 4 && gray % 17 != 0) gray_depth = 8;
  }
};

// Calls `look` with each pixel that differs from the one before it, until it returns false.
template <typename T, typename Function>
Status ForEachChange(const Image& image, const WorkContext& context, const Function& look) {
  const size_t channels = image.layout().planes[0].channels;
  for (uint32_t y = 0; y < image.layout().height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const T* row = reinterpret_cast<const T*>(image.row(0, y));
    Pixel<T> last = Load(row, channels);
    if (!look(last)) return Status();
    for (uint32_t x = 1; x < image.layout().width; ++x) {
      const Pixel<T> pixel = Load(row + x * channels, channels);
      if (pixel == last) continue;
      if (!look(pixel)) return Status();
      last = pixel;
    }
  }
  return Status();
}

template <typename T>
Result<Findings<T>> LookAtAll(const Image& image, const WorkContext& context) {
  Findings<T> found;
  PIXPRESS_RETURN_IF_ERROR(ForEachChange<T>(image, context, [&](const Pixel<T>& pixel) {
    found.Look(pixel);
    return !found.is_settled(image.layout().has_alpha);
  }));
  found.has_key &= found.key.has_value();
  if (!found.has_key) return found;
  PIXPRESS_RETURN_IF_ERROR(ForEachChange<T>(image, context, [&](const Pixel<T>& pixel) {
    found.has_key &= pixel.alpha == 0 || pixel.color != *found.key;
    return found.has_key;
  }));
  return found;
}

uint8_t DepthOfPalette(size_t colors) {
  return colors <= 2 ? 1 : colors <= 4 ? 2 : colors <= 16 ? 4 : 8;
}

// Is the palette's cost in bytes small against the raw bytes that indices save?
bool IsPaletteSmaller(const ColorTable& table, const PngLayout& plain, const ImageLayout& size) {
  const size_t channels = (plain.color == ColorModel::kGray ? 1 : 3) + (plain.has_alpha ? 1 : 0);
  const size_t plain_bits = channels * plain.depth;
  const size_t index_bits = DepthOfPalette(table.colors().size());
  if (index_bits >= plain_bits) return false;
  const uint64_t saved_bits = (plain_bits - index_bits) * SaturatingMul(size.width, size.height);
  return saved_bits / 8 > 2 * (12 + 3 * table.colors().size());
}

template <typename T>
PngLayout PlainLayout(const Findings<T>& found, const ImageLayout& from, bool may_turn_gray) {
  PngLayout plain;
  const bool is_gray = from.color == ColorModel::kGray || (found.is_gray && may_turn_gray);
  plain.color = is_gray ? ColorModel::kGray : ColorModel::kRgb;
  plain.has_alpha = from.has_alpha && !found.is_opaque && !found.has_key;
  plain.depth = is_gray && !plain.has_alpha ? found.gray_depth : static_cast<uint8_t>(from.bits);
  if (found.has_key) plain.transparent = {(*found.key)[0], (*found.key)[1], (*found.key)[2]};
  return plain;
}

template <typename T>
Result<std::vector<PngLayout>> FindLayouts(const Image& image, const PngReductions& allowed,
                                           const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(const Findings<T> found, LookAtAll<T>(image, context));
  std::vector<PngLayout> layouts = {PlainLayout(found, image.layout(), allowed.may_turn_gray)};
  if (!found.has_palette || !allowed.may_be_indexed) return layouts;
  const bool is_smaller = IsPaletteSmaller(found.table, layouts[0], image.layout());
  PIXPRESS_ASSIGN_OR_RETURN(const auto orders,
                            OrderPalette(image, found.table, allowed.orders, context));
  for (const std::vector<Rgba>& palette : orders) {
    layouts.push_back({.color = ColorModel::kIndexed,
                       .depth = DepthOfPalette(palette.size()),
                       .palette = palette});
  }
  if (is_smaller) std::swap(layouts[0], layouts[1]);
  return layouts;
}

Result<bool> HasEqualBytes(const Image& image, const WorkContext& context) {
  const size_t bytes = image.layout().row_bytes(0);
  for (uint32_t y = 0; y < image.layout().height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = image.row(0, y);
    uint32_t different = 0;
    for (size_t i = 0; i < bytes; i += 2) different |= row[i] ^ row[i + 1];
    if (different != 0) return false;
  }
  return true;
}

Result<Image> TakeLowBytes(const Image& image, const WorkContext& context) {
  const ImageLayout& from = image.layout();
  PIXPRESS_ASSIGN_OR_RETURN(
      Image narrow, Image::Create(ImageLayout::Interleaved(from.width, from.height, from.color,
                                                           from.has_alpha, 8),
                                  context.meter));
  const size_t samples = narrow.layout().row_bytes(0);
  for (uint32_t y = 0; y < from.height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    for (size_t i = 0; i < samples; ++i) narrow.row(0, y)[i] = image.row(0, y)[2 * i];
  }
  return narrow;
}

}  // namespace

Result<Image> NarrowPng(Image image, const WorkContext& context) {
  if (image.layout().bits != 16) return image;
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_narrow, HasEqualBytes(image, context));
  if (!is_narrow) return image;
  return TakeLowBytes(image, context);
}

Result<std::vector<PngLayout>> FindPngLayouts(const Image& image, const PngReductions& allowed,
                                              const WorkContext& context) {
  return image.layout().bits == 16 ? FindLayouts<uint16_t>(image, allowed, context)
                                   : FindLayouts<uint8_t>(image, allowed, context);
}

PngLayout IndexedPngLayout(const Image& image) {
  const std::vector<Rgba>& palette = image.layout().palette;
  return {
      .color = ColorModel::kIndexed, .depth = DepthOfPalette(palette.size()), .palette = palette};
}

bool HasPngLayout(const Image& image, const PngLayout& layout) {
  return image.layout().color == layout.color && image.layout().has_alpha == layout.has_alpha;
}

Result<Image> ToPngLayout(const Image& image, const PngLayout& layout, const WorkContext& context) {
  if (layout.color == ColorModel::kIndexed) return ToIndices(image, layout.palette, context);
  const ImageLayout& from = image.layout();
  PIXPRESS_ASSIGN_OR_RETURN(
      Image made, Image::Create(ImageLayout::Interleaved(from.width, from.height, layout.color,
                                                         layout.has_alpha, from.bits),
                                context.meter));
  for (uint32_t y = 0; y < from.height; ++y) {
    if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    ConvertChannelsRow(image.row(0, y), from.color, from.has_alpha, layout.color, layout.has_alpha,
                       from.bits, from.width, made.row(0, y));
  }
  return made;
}

}  // namespace pixpress
