#include "pipeline/step_mirror.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "image/image.h"

namespace pixpress {
namespace {

bool HasSides(const ImageLayout& layout, uint32_t least_side) {
  return std::min(layout.width, layout.height) >= least_side;
}

ImageLayout Mirrored(ImageLayout layout, uint32_t least_side) {
  layout.width = layout.planes[0].width = std::max(layout.width, least_side);
  layout.height = layout.planes[0].height = std::max(layout.height, least_side);
  return layout;
}

// Where the sample at `i` comes from: 0 1 2 2 1 0 0 1 2 for a `side` of 3.
uint32_t MirroredIndex(uint32_t i, uint32_t side) {
  const uint32_t in_pair = i % (2 * side);
  return in_pair < side ? in_pair : 2 * side - 1 - in_pair;
}

}  // namespace

uint64_t MirrorMemoryBytes(const ImageLayout& layout, uint32_t least_side) {
  if (HasSides(layout, least_side)) return 0;
  return SaturatingAdd(Image::MemoryBytes(layout),
                       Image::MemoryBytes(Mirrored(layout, least_side)));
}

Result<std::unique_ptr<RowSource>> MakeMirrorStep(std::unique_ptr<RowSource> source,
                                                  uint32_t least_side, const WorkContext& context) {
  if (HasSides(source->layout(), least_side)) return source;
  PIXPRESS_ASSIGN_OR_RETURN(const Image small, CollectRows(*source, context));
  const ImageLayout& own = small.layout();
  PIXPRESS_ASSIGN_OR_RETURN(Image image, Image::Create(Mirrored(own, least_side), context.meter));
  const size_t pixel_bytes = own.planes[0].channels * own.bytes_per_sample();
  for (uint32_t y = 0; y < image.layout().height; ++y) {
    const uint8_t* from = small.row(0, MirroredIndex(y, own.height));
    uint8_t* to = image.row(0, y);
    std::memcpy(to, from, own.row_bytes(0));
    for (uint32_t x = own.width; x < image.layout().width; ++x) {
      std::memcpy(to + x * pixel_bytes, from + MirroredIndex(x, own.width) * pixel_bytes,
                  pixel_bytes);
    }
  }
  return MakeImageSource(std::move(image), context.stop);
}

}  // namespace pixpress
