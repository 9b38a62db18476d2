#include "codecs/png/choose.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/png/data.h"
#include "codecs/png/filter.h"
#include "memory/byte_chain.h"

namespace pixpress {
namespace {

// An image of so many bytes is looked at as a whole, a larger one in strips.
constexpr size_t kWholeBytes = 128u << 10;
constexpr uint32_t kStrips = 4;
constexpr int kTrialEffort = 4;
constexpr int kThoroughEffort = 7;
constexpr int kThoroughTrialEffort = 6;
// One of so many bytes is encoded as it will be.
constexpr size_t kTinyBytes = 16u << 10;
constexpr uint64_t kChunkBytes = 12;

uint64_t BytesOf(const ImageLayout& layout) {
  return SaturatingMul(layout.row_bytes(0), layout.height);
}

bool IsWhole(const ImageLayout& layout) { return BytesOf(layout) <= kWholeBytes; }

// At least a row of each strip.
uint32_t RowsOfSample(const ImageLayout& layout) {
  if (IsWhole(layout)) return layout.height;
  const auto rows = static_cast<uint32_t>(kWholeBytes / layout.row_bytes(0));
  return std::min(std::max(rows / kStrips, 1u) * kStrips, layout.height);
}

EncodeOptions TrialOptions(const ImageLayout& layout, const EncodeOptions& options) {
  EncodeOptions trial = options;
  if (BytesOf(layout) > kTinyBytes) {
    trial.effort = options.effort < kThoroughEffort ? kTrialEffort : kThoroughTrialEffort;
  }
  return trial;
}

Result<Image> TakeStrips(const Image& image, const WorkContext& context) {
  ImageLayout layout = image.layout();
  layout.height = RowsOfSample(layout);
  PIXPRESS_ASSIGN_OR_RETURN(Image sample, Image::Create(std::move(layout), context.meter));
  const uint32_t strip = std::max(sample.layout().height / kStrips, 1u);
  for (uint32_t y = 0; y < sample.layout().height; ++y) {
    const uint64_t part = y / strip;
    const auto first =
        static_cast<uint32_t>(part * image.layout().height * strip / sample.layout().height);
    const uint32_t from = std::min(first + y % strip, image.layout().height - 1);
    std::memcpy(sample.row(0, y), image.row(0, from), image.layout().row_bytes(0));
  }
  return sample;
}

uint64_t ChunkBytes(const PngLayout& layout) {
  if (layout.transparent.has_value()) {
    return kChunkBytes + (layout.color == ColorModel::kGray ? 2 : 6);
  }
  if (layout.palette.empty()) return 0;
  const auto clear = static_cast<uint64_t>(std::count_if(
      layout.palette.begin(), layout.palette.end(), [](Rgba color) { return color.a != 255; }));
  return kChunkBytes + 3 * layout.palette.size() + (clear == 0 ? 0 : kChunkBytes + clear);
}

// Bytes of an image that may be a part of the whole.
Result<uint64_t> TryLayout(const Image& sample, const PngLayout& layout,
                           const EncodeOptions& options, const WorkContext& context) {
  Image converted;
  const bool is_ready = HasPngLayout(sample, layout);
  if (!is_ready) {
    PIXPRESS_ASSIGN_OR_RETURN(converted, ToPngLayout(sample, layout, context));
  }
  const Image& image = is_ready ? sample : converted;
  ByteChain stream(context.meter);
  PIXPRESS_RETURN_IF_ERROR(WritePngStream(image, PngRowFormatOf(image.layout(), layout.depth),
                                          options, context, &stream));
  return stream.size_bytes();
}

// Few bits make few bytes that match each other, whole bytes more that do.
void AddWholeBytes(std::vector<PngLayout>* layouts) {
  const size_t count = layouts->size();
  for (size_t i = 0; i < count; ++i) {
    if ((*layouts)[i].depth >= 8) continue;
    PngLayout whole = (*layouts)[i];
    whole.depth = 8;
    layouts->push_back(std::move(whole));
  }
}

}  // namespace

size_t PngPaletteOrders(const ImageLayout& layout, const EncodeOptions& options) {
  if (options.effort < kChoiceEffort) return 1;
  return options.effort < kThoroughEffort && BytesOf(layout) > kTinyBytes ? 1 : 3;
}

Result<PngLayout> ChoosePngLayout(const Image& image, std::vector<PngLayout> layouts,
                                  const EncodeOptions& options, const WorkContext& context) {
  if (options.effort < kChoiceEffort) return std::move(layouts.front());
  AddWholeBytes(&layouts);
  if (layouts.size() == 1) return std::move(layouts.front());
  const bool is_whole = IsWhole(image.layout());
  const EncodeOptions trial = TrialOptions(image.layout(), options);
  Image strips;
  if (!is_whole) {
    PIXPRESS_ASSIGN_OR_RETURN(strips, TakeStrips(image, context));
  }
  const Image& sample = is_whole ? image : strips;
  WorkContext quiet = context;
  quiet.progress = nullptr;
  size_t best = 0;
  uint64_t least = ~uint64_t{0};
  for (size_t i = 0; i < layouts.size(); ++i) {
    PIXPRESS_ASSIGN_OR_RETURN(const uint64_t made, TryLayout(sample, layouts[i], trial, quiet));
    // Chunks are of the whole image.
    const uint64_t cost =
        made * image.layout().height / sample.layout().height + ChunkBytes(layouts[i]);
    if (cost >= least) continue;
    least = cost;
    best = i;
  }
  return std::move(layouts[best]);
}

uint64_t ChoosePngLayoutMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  if (options.effort < kChoiceEffort) return 0;
  ImageLayout sample = layout;
  sample.height = RowsOfSample(layout);
  const uint8_t depth = layout.bits == 16 ? 16 : 8;
  return SaturatingAdd(2 * Image::MemoryBytes(sample),
                       PngDataMemoryBytes(PngRowFormatOf(sample, depth), sample.height,
                                          TrialOptions(layout, options)));
}

}  // namespace pixpress
