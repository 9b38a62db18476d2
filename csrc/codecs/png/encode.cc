#include "codecs/png/encode.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked_math.h"
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
Status AppendTransparentColor(const ReducedPng& png, const PngRowFormat& format, ByteChain* out) {
  std::vector<uint8_t> trns;
  const size_t samples = format.color_type == 0 ? 1 : 3;
  const int unused_bits = format.depth < 8 ? 8 - format.depth : 0;
  for (size_t i = 0; i < samples; ++i) {
    const int sample = (*png.transparent)[i] >> unused_bits;
    trns.push_back(static_cast<uint8_t>(sample >> 8));
    trns.push_back(static_cast<uint8_t>(sample));
  }
  return AppendPngChunk(out, "tRNS", trns);
}

PngReductions AllowedBy(const Metadata& metadata, const EncodeOptions& options) {
  constexpr size_t kColorSpaceOffset = 16;
  const bool may_narrow = !options.keeps_bits;
  if (metadata.icc.size() < kColorSpaceOffset + 4) return {.may_narrow = may_narrow};
  const bool is_gray =
      std::string_view(reinterpret_cast<const char*>(metadata.icc.data()) + kColorSpaceOffset, 4) ==
      "GRAY";
  return {.may_turn_gray = is_gray, .may_be_indexed = !is_gray, .may_narrow = may_narrow};
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
  // The image and its reduction, then one of them and the data.
  const uint8_t depth = layout.bits == 16 ? 16 : 8;
  const uint64_t data = PngDataMemoryBytes(PngRowFormatOf(layout, depth), layout.height, options);
  const uint64_t image = Image::MemoryBytes(layout);
  return SaturatingAdd(image, std::max(image, data));
}

Status EncodePng(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Image image, CollectRows(source, context));
  const bool is_quantized = image.layout().color == ColorModel::kIndexed;
  PIXPRESS_ASSIGN_OR_RETURN(const ReducedPng png,
                            ReducePng(std::move(image), AllowedBy(metadata, options), context));
  const ImageLayout& layout = png.image.layout();
  PngRowFormat format = PngRowFormatOf(layout, png.depth);
  format.is_quantized = is_quantized && !options.lossless;
  PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(out));
  PIXPRESS_RETURN_IF_ERROR(AppendHeader(layout, format, out));
  PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata, out));
  if (layout.color == ColorModel::kIndexed) {
    PIXPRESS_RETURN_IF_ERROR(AppendPalette(layout.palette, out));
  }
  if (png.transparent.has_value()) {
    PIXPRESS_RETURN_IF_ERROR(AppendTransparentColor(png, format, out));
  }
  PIXPRESS_RETURN_IF_ERROR(WritePngData(png.image, format, options, context, out));
  return AppendPngChunk(out, "IEND", {});
}

}  // namespace pixpress
