#include "image/pixel_format.h"

#include <algorithm>

#include "base/checked_math.h"

namespace pixpress {
namespace {

uint8_t ColorChannels(ColorModel color) {
  switch (color) {
    case ColorModel::kGray:
    case ColorModel::kIndexed:
      return 1;
    case ColorModel::kRgb:
    case ColorModel::kYCbCr:
      return 3;
    case ColorModel::kCmyk:
      return 4;
  }
  return 1;
}

}  // namespace

uint8_t ImageLayout::max_h_samples() const {
  uint8_t most = 1;
  for (size_t p = 0; p < plane_count; ++p) most = std::max(most, planes[p].h_samples);
  return most;
}

uint8_t ImageLayout::max_v_samples() const {
  uint8_t most = 1;
  for (size_t p = 0; p < plane_count; ++p) most = std::max(most, planes[p].v_samples);
  return most;
}

ImageLayout ImageLayout::Interleaved(uint32_t width, uint32_t height, ColorModel color,
                                     bool has_alpha, uint8_t bits) {
  ImageLayout layout;
  layout.width = width;
  layout.height = height;
  layout.color = color;
  layout.has_alpha = has_alpha;
  layout.bits = bits;
  const uint8_t channels = ColorChannels(color) + (has_alpha ? 1 : 0);
  layout.planes[0] = {.width = width, .height = height, .channels = channels};
  return layout;
}

ImageLayout ImageLayout::Ycbcr(uint32_t width, uint32_t height, uint8_t h, uint8_t v) {
  ImageLayout layout;
  layout.width = width;
  layout.height = height;
  layout.color = ColorModel::kYCbCr;
  layout.plane_count = 3;
  layout.planes[0] = {.width = width, .height = height, .h_samples = h, .v_samples = v};
  layout.planes[1] = {.width = DivideRoundingUp<uint32_t>(width, h),
                      .height = DivideRoundingUp<uint32_t>(height, v)};
  layout.planes[2] = layout.planes[1];
  return layout;
}

}  // namespace pixpress
