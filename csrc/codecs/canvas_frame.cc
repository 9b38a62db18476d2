#include "codecs/canvas_frame.h"

#include <bit>
#include <cstring>

namespace pixpress {
namespace {

constexpr uint32_t kOpaque = 255;

void StoreRgb(const uint32_t* pixels, uint32_t count, uint8_t* out) {
  static_assert(std::endian::native == std::endian::little);
  for (uint32_t x = 0; x < count; ++x) std::memcpy(out + size_t{x} * 3, pixels + x, 3);
}

void StoreChanged(const uint32_t* before, const uint32_t* after, uint32_t count, uint8_t* out) {
  for (uint32_t x = 0; x < count; ++x) {
    const uint32_t pixel = before[x] == after[x] ? 0 : after[x];
    std::memcpy(out + size_t{x} * 4, &pixel, 4);
  }
}

}  // namespace

FrameContent LookAtFrame(const CanvasFrame& frame) {
  FrameContent content;
  const CanvasPlace& place = frame.place;
  for (uint32_t y = place.y; y < place.y + place.height; ++y) {
    const uint32_t* before = frame.before.row(y) + place.x;
    const uint32_t* after = frame.after.row(y) + place.x;
    for (uint32_t x = 0; x < place.width; ++x) {
      const bool is_opaque = after[x] >> 24 == kOpaque;
      const bool is_still = before[x] == after[x];
      content.is_opaque &= is_opaque;
      content.may_blend_over &= is_opaque || is_still;
      content.still_px += is_still ? 1 : 0;
    }
  }
  return content;
}

Result<Image> MakeFrameImage(const CanvasFrame& frame, CanvasBlend blend, bool has_alpha,
                             Meter& meter) {
  const CanvasPlace& place = frame.place;
  PIXPRESS_ASSIGN_OR_RETURN(
      Image image,
      Image::Create(
          ImageLayout::Interleaved(place.width, place.height, ColorModel::kRgb, has_alpha), meter));
  for (uint32_t y = 0; y < place.height; ++y) {
    const uint32_t* before = frame.before.row(place.y + y) + place.x;
    const uint32_t* after = frame.after.row(place.y + y) + place.x;
    uint8_t* out = image.row(0, y);
    if (!has_alpha) {
      StoreRgb(after, place.width, out);
    } else if (blend == CanvasBlend::kOver) {
      StoreChanged(before, after, place.width, out);
    } else {
      std::memcpy(out, after, size_t{place.width} * 4);
    }
  }
  return image;
}

}  // namespace pixpress
