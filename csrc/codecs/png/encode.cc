#include "codecs/png/encode.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/png/choose.h"
#include "codecs/png/chunks.h"
#include "codecs/png/data.h"
#include "codecs/png/filter.h"
#include "codecs/png/numbers.h"
#include "codecs/png/reduce.h"
#include "image/image.h"

namespace pixpress {
namespace {

Status AppendHeader(const ImageLayout& layout, const PngRowFormat& format, ByteChain* out) {
  std::array<uint8_t, 13> ihdr = {};
  StorePng32(layout.width, ihdr.data());
  StorePng32(layout.height, ihdr.data() + 4);
  ihdr[8] = format.depth;
  ihdr[9] = format.color_type;
  return AppendPngChunk(out, "IHDR", ihdr);
}

Status AppendPalette(const std::vector<Rgba>& palette, ByteChain* out) {
  std::vector<uint8_t> plte;
  std::vector<uint8_t> trns;
  size_t opaque_from = 0;
  for (size_t i = 0; i < palette.size(); ++i) {
    plte.insert(plte.end(), {palette[i].r, palette[i].g, palette[i].b});
    trns.push_back(palette[i].a);
    if (palette[i].a != 255) opaque_from = i + 1;
  }
  trns.resize(opaque_from);
  PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "PLTE", plte));
  return trns.empty() ? Status() : AppendPngChunk(out, "tRNS", trns);
}

// Two bytes for each sample of the color that means alpha 0.
Status AppendTransparentColor(const PngLayout& layout, ByteChain* out) {
  std::vector<uint8_t> trns;
  const size_t samples = layout.color == ColorModel::kGray ? 1 : 3;
  const int unused_bits = layout.depth < 8 ? 8 - layout.depth : 0;
  for (size_t i = 0; i < samples; ++i) {
    const int sample = (*layout.transparent)[i] >> unused_bits;
    trns.push_back(static_cast<uint8_t>(sample >> 8));
    trns.push_back(static_cast<uint8_t>(sample));
  }
  return AppendPngChunk(out, "tRNS", trns);
}

PngReductions AllowedBy(const Metadata& metadata, size_t orders) {
  constexpr size_t kColorSpaceOffset = 16;
  if (metadata.icc.size() < kColorSpaceOffset + 4) return {.orders = orders};
  const bool is_gray =
      std::string_view(reinterpret_cast<const char*>(metadata.icc.data()) + kColorSpaceOffset, 4) ==
      "GRAY";
  return {.may_turn_gray = is_gray, .may_be_indexed = !is_gray, .orders = orders};
}

// Turns the image into the layout that is told.
Result<PngLayout> Reduce(Image* image, const EncodeOptions& options, const Metadata& metadata,
                         const WorkContext& context) {
  if (image->layout().color == ColorModel::kIndexed) return IndexedPngLayout(*image);
  if (!options.keeps_bits) {
    PIXPRESS_ASSIGN_OR_RETURN(*image, NarrowPng(std::move(*image), context));
  }
  PIXPRESS_ASSIGN_OR_RETURN(
      std::vector<PngLayout> layouts,
      FindPngLayouts(*image, AllowedBy(metadata, PngPaletteOrders(image->layout(), options)),
                     context));
  PIXPRESS_ASSIGN_OR_RETURN(PngLayout layout,
                            ChoosePngLayout(*image, std::move(layouts), options, context));
  if (!HasPngLayout(*image, layout)) {
    PIXPRESS_ASSIGN_OR_RETURN(*image, ToPngLayout(*image, layout, context));
  }
  return layout;
}

}  // namespace

ImageLayout PngAcceptedLayout(const ImageLayout& from, const EncodeOptions&) {
  if (from.color == ColorModel::kIndexed) return from;
  const bool is_gray = from.color == ColorModel::kGray;
  return ImageLayout::Interleaved(from.width, from.height,
                                  is_gray ? ColorModel::kGray : ColorModel::kRgb, from.has_alpha,
                                  from.bits);
}

uint64_t PngEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  // The image and its reduction, then one of them and the data; trials in between.
  const uint8_t depth = layout.bits == 16 ? 16 : 8;
  const uint64_t data = PngDataMemoryBytes(PngRowFormatOf(layout, depth), layout.height, options);
  const uint64_t image = Image::MemoryBytes(layout);
  const uint64_t choice = ChoosePngLayoutMemoryBytes(layout, options);
  return SaturatingAdd(image, std::max({image, data, choice}));
}

Status EncodePng(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Image image, CollectRows(source, context));
  const bool is_quantized = image.layout().color == ColorModel::kIndexed && !options.lossless;
  PIXPRESS_ASSIGN_OR_RETURN(const PngLayout layout, Reduce(&image, options, metadata, context));
  PngRowFormat format = PngRowFormatOf(image.layout(), layout.depth);
  format.is_quantized = is_quantized;
  PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(out));
  PIXPRESS_RETURN_IF_ERROR(AppendHeader(image.layout(), format, out));
  PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata, out));
  if (!layout.palette.empty()) PIXPRESS_RETURN_IF_ERROR(AppendPalette(layout.palette, out));
  if (layout.transparent.has_value()) {
    PIXPRESS_RETURN_IF_ERROR(AppendTransparentColor(layout, out));
  }
  PIXPRESS_RETURN_IF_ERROR(WritePngData(image, format, options, context, out));
  return AppendPngChunk(out, "IEND", {});
}

}  // namespace pixpress
