#pragma once
// Smaller PNG layouts that show exactly the same pixels, the colors under alpha 0 included.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

// What IHDR, PLTE and tRNS say of the pixels.
struct PngLayout {
  ColorModel color = ColorModel::kRgb;
  bool has_alpha = false;
  uint8_t depth = 8;  // Bits of each sample: 1, 2, 4, 8 or 16.
  // The one color (its first channels) that means alpha 0, for tRNS; there is no alpha then.
  std::optional<std::array<uint16_t, 3>> transparent = {};
  std::vector<Rgba> palette = {};
};

struct PngReductions {
  // An ICC profile ties the pixels to its color model.
  bool may_turn_gray = true;
  bool may_be_indexed = true;
  // How many orders of a palette are told, at least 1.
  size_t orders = 1;
};

// Makes 8 bits of 16 where both bytes of every sample are equal.
Result<Image> NarrowPng(Image image, const WorkContext& context);

// The layouts of an image that is not indexed, and not to be narrowed, without and with a palette;
// the likeliest to be smallest is first. Opaque alpha goes, alpha of one color becomes
// `transparent`, RGB becomes gray, and few grays or colors get few bits or a palette.
Result<std::vector<PngLayout>> FindPngLayouts(const Image& image, const PngReductions& allowed,
                                              const WorkContext& context);
// An indexed image stays one.
PngLayout IndexedPngLayout(const Image& image);

// The pixels as a layout that was found for them has them; samples of fewer than 8 bits are not
// packed yet.
Result<Image> ToPngLayout(const Image& image, const PngLayout& layout, const WorkContext& context);
bool HasPngLayout(const Image& image, const PngLayout& layout);

}  // namespace pixpress
