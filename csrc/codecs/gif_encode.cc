#include "codecs/gif_encode.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/checked_math.h"
#include "codecs/gif_lzw_encoder.h"
#include "codecs/gif_writer.h"

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

Status WriteRows(RowSource& source, IndexMap& map, const WorkContext& context,
                 GifLzwEncoder* encoder) {
  const ImageLayout& layout = source.layout();
  PIXPRESS_ASSIGN_OR_RETURN(Buffer row, context.meter.Allocate(layout.width));
  for (uint32_t done = 0; done < layout.height;) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(source.Next(&stripe));
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const PlaneRows& rows = stripe.planes[0];
    for (uint32_t y = 0; y < rows.rows; ++y, ++done) {
      std::transform(rows.row(y), rows.row(y) + layout.width, row.data(), std::ref(map));
      PIXPRESS_RETURN_IF_ERROR(encoder->Write(row.span()));
    }
    if (context.progress != nullptr) {
      context.progress->Report(Stage::kEncode, double{1} * done / layout.height);
    }
  }
  return encoder->Finish();
}

}  // namespace

ImageLayout GifAcceptedLayout(const ImageLayout& from, const EncodeOptions&) {
  ImageLayout layout =
      ImageLayout::Interleaved(from.width, from.height, ColorModel::kIndexed, false);
  if (from.color == ColorModel::kIndexed) layout.palette = from.palette;
  return layout;
}

uint64_t GifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions&) {
  const uint64_t pixels = SaturatingMul(layout.width, layout.height);
  const uint64_t output = GifLzwEncoder::OutputBytes(pixels);
  // A chain has one chunk that is not full, and buffers are of size classes.
  return SaturatingAdd(SaturatingAdd(output, output / 16),
                       GifLzwEncoder::MemoryBytes() + uint64_t{layout.width} * 2 + kMetadataBytes);
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
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwEncoder encoder, GifLzwEncoder::Create(context.meter));
  // The table is known last, so it is put in front of the rest at the end.
  PIXPRESS_RETURN_IF_ERROR(AppendGifImage({0, 0, layout.width, layout.height}, {}, out));
  PIXPRESS_RETURN_IF_ERROR(
      encoder.Start(std::max<uint8_t>(2, GifTableBits(map.most_colors())), out));
  PIXPRESS_RETURN_IF_ERROR(WriteRows(source, map, context, &encoder));
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
