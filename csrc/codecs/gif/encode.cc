#include "codecs/gif/encode.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/gif/loss.h"
#include "codecs/gif/lzw_encoder.h"
#include "codecs/gif/writer.h"

namespace pixpress {
namespace {

constexpr uint64_t kMetadataBytes = 1u << 20;

// Gives the colors of a palette indices without gaps, in the order in which the pixels use them.
class IndexMap {
 public:
  explicit IndexMap(const std::vector<Rgba>& palette) {
    for (size_t i = 0; i < std::min<size_t>(palette.size(), 256); ++i) {
      const Rgba& c = palette[i];
      const std::array<uint8_t, 4> rgba = {c.r, c.g, c.b, c.a};
      colors_of_[i] = GifColor(rgba.data());
    }
    // Indices that have no color get the first one.
    for (size_t i = palette.size(); i < 256; ++i) colors_of_[i] = colors_of_[0];
    std::vector<uint32_t> distinct(colors_of_.begin(), colors_of_.end());
    std::sort(distinct.begin(), distinct.end());
    most_colors_ = std::unique(distinct.begin(), distinct.end()) - distinct.begin();
    indices_.fill(kUnused);
  }

  // A bound of colors().size(), known at once.
  size_t most_colors() const { return most_colors_; }
  const std::vector<uint32_t>& colors() const { return colors_; }
  int transparent() const {
    const auto found = std::find(colors_.begin(), colors_.end(), 0u);
    return found == colors_.end() ? -1 : static_cast<int>(found - colors_.begin());
  }

  uint8_t operator()(uint8_t index) {
    if (indices_[index] == kUnused) Use(index);
    return static_cast<uint8_t>(indices_[index]);
  }

 private:
  static constexpr int kUnused = -1;

  void Use(uint8_t index) {
    const auto found = std::find(colors_.begin(), colors_.end(), colors_of_[index]);
    indices_[index] = static_cast<int>(found - colors_.begin());
    if (found == colors_.end()) colors_.push_back(colors_of_[index]);
  }

  std::array<uint32_t, 256> colors_of_ = {};
  std::array<int, 256> indices_;
  std::vector<uint32_t> colors_;
  size_t most_colors_ = 0;
};

// Calls `write` with the indices of each row.
template <typename Write>
Status ForEachRow(RowSource& source, IndexMap& map, const WorkContext& context, Write write) {
  const ImageLayout& layout = source.layout();
  PIXPRESS_ASSIGN_OR_RETURN(Buffer row, context.meter.Allocate(layout.width));
  for (uint32_t done = 0; done < layout.height;) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(source.Next(&stripe));
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const PlaneRows& rows = stripe.planes[0];
    for (uint32_t y = 0; y < rows.rows; ++y, ++done) {
      std::transform(rows.row(y), rows.row(y) + layout.width, row.data(), std::ref(map));
      PIXPRESS_RETURN_IF_ERROR(write(row.span().first(layout.width)));
    }
    if (context.progress != nullptr) {
      context.progress->Report(Stage::kEncode, double{1} * done / layout.height);
    }
  }
  return Status();
}

uint8_t CodeBits(size_t colors) { return std::max<uint8_t>(2, GifTableBits(colors)); }

Status EncodeExact(RowSource& source, IndexMap& map, const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwEncoder encoder, GifLzwEncoder::Create(context.meter));
  PIXPRESS_RETURN_IF_ERROR(encoder.Start(CodeBits(map.most_colors()), out));
  PIXPRESS_RETURN_IF_ERROR(ForEachRow(
      source, map, context, [&](std::span<const uint8_t> row) { return encoder.Write(row); }));
  return encoder.Finish();
}

// With loss, or without, if that is not larger.
Status EncodeLossy(RowSource& source, IndexMap& map, GifLoss* loss, const WorkContext& context,
                   ByteChain* out) {
  const size_t pixels = size_t{source.layout().width} * source.layout().height;
  PIXPRESS_ASSIGN_OR_RETURN(Buffer indices, context.meter.Allocate(pixels));
  uint8_t* end = indices.data();
  PIXPRESS_RETURN_IF_ERROR(ForEachRow(source, map, context, [&](std::span<const uint8_t> row) {
    end = std::ranges::copy(row, end).out;
    return Status();
  }));
  const std::span<const uint8_t> all = indices.span().first(pixels);
  loss->SetPalette(map.colors());
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwEncoder encoder, GifLzwEncoder::Create(context.meter));
  ByteChain smallest(context.meter);
  PIXPRESS_RETURN_IF_ERROR(encoder.Start(CodeBits(map.colors().size()), &smallest));
  PIXPRESS_RETURN_IF_ERROR(
      encoder.WriteWithChoice(all, {}, map.transparent(), *loss, context.stop));
  PIXPRESS_RETURN_IF_ERROR(encoder.Finish());
  ByteChain exact(context.meter);
  PIXPRESS_RETURN_IF_ERROR(encoder.Start(CodeBits(map.colors().size()), &exact));
  PIXPRESS_RETURN_IF_ERROR(encoder.Write(all));
  PIXPRESS_RETURN_IF_ERROR(encoder.Finish());
  if (exact.size_bytes() <= smallest.size_bytes()) smallest = std::move(exact);
  for (const auto& chunk : smallest.chunks()) PIXPRESS_RETURN_IF_ERROR(out->Append(chunk));
  return Status();
}

}  // namespace

ImageLayout GifAcceptedLayout(const ImageLayout& from, const EncodeOptions&) {
  ImageLayout layout =
      ImageLayout::Interleaved(from.width, from.height, ColorModel::kIndexed, false);
  if (from.color == ColorModel::kIndexed) layout.palette = from.palette;
  return layout;
}

uint64_t GifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const uint64_t pixels = SaturatingMul(layout.width, layout.height);
  const uint64_t output = GifLzwEncoder::OutputBytes(pixels);
  // A chain has one chunk that is not full, and buffers are of size classes.
  const uint64_t chain = SaturatingAdd(output, output / 16);
  uint64_t bytes = SaturatingAdd(
      chain, GifLzwEncoder::MemoryBytes() + uint64_t{layout.width} * 2 + kMetadataBytes);
  if (!GifLoss(options).is_none()) {
    // All indices, and two ways to write them before one is chosen.
    bytes = SaturatingAdd(bytes, SaturatingAdd(pixels, pixels / 4));
    bytes = SaturatingAdd(bytes, SaturatingMul(chain, 2));
  }
  return bytes;
}

Status EncodeGif(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out) {
  const ImageLayout& layout = source.layout();
  if (layout.color != ColorModel::kIndexed || layout.bits != 8) {
    return Status(StatusCode::kInternal, "GIF is made of palette indices only");
  }
  const auto is_partial = [](const Rgba& color) { return color.a != 0 && color.a != 255; };
  if (options.lossless && std::ranges::any_of(layout.palette, is_partial)) {
    return PartlyTransparent();
  }
  IndexMap map(layout.palette);
  GifLoss loss(options);
  // The table is known last, so it is put in front of the rest at the end.
  PIXPRESS_RETURN_IF_ERROR(AppendGifImage({0, 0, layout.width, layout.height}, {}, out));
  PIXPRESS_RETURN_IF_ERROR(loss.is_none() ? EncodeExact(source, map, context, out)
                                          : EncodeLossy(source, map, &loss, context, out));
  if (map.transparent() >= 0) {
    ByteChain control(context.meter);
    PIXPRESS_RETURN_IF_ERROR(AppendGifControl(GifDisposal::kKeep, 0, map.transparent(), &control));
    PIXPRESS_RETURN_IF_ERROR(out->Prepend(control.chunks().front()));
  }
  PIXPRESS_RETURN_IF_ERROR(out->Prepend(
      MakeGifHeader(layout.width, layout.height, map.colors(), /*loop_count=*/1, metadata)));
  return AppendGifTrailer(out);
}

}  // namespace pixpress
