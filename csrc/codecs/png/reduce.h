#pragma once
// Find a smaller PNG layout that shows exactly the same pixels, the colors under alpha 0 included.

#include <array>
#include <cstdint>
#include <optional>

#include "base/status.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

struct ReducedPng {
  Image image;
  uint8_t depth = 8;  // Bits that each sample needs: 1, 2, 4, 8 or 16.
  // The one color (its first channels) that means alpha 0, for tRNS; the image has no alpha then.
  std::optional<std::array<uint16_t, 3>> transparent;
};

struct PngReductions {
  // An ICC profile ties the pixels to its color model.
  bool may_turn_gray = true;
  bool may_be_indexed = true;
  bool may_narrow = true;
};

// 16 bits become 8 where both bytes of every sample are equal; opaque alpha goes, alpha of one
// color becomes `transparent`, RGB becomes gray, few colors become a palette where that is smaller,
// and few grays fewer bits. Gray without alpha never gets a palette: it would come back as color.
// Indexed images stay as they are.
Result<ReducedPng> ReducePng(Image image, const PngReductions& allowed, const WorkContext& context);

}  // namespace pixpress
