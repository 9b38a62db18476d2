#pragma once
// What changes from one canvas of an animation to the next.

#include <cstddef>
#include <cstdint>

#include "image/frame.h"

namespace pixpress {

// A canvas of RGBA, red in the lowest byte, borrowed, without gaps between rows. Every transparent
// pixel is 0.
struct CanvasPixels {
  const uint32_t* data = nullptr;
  uint32_t width = 0;
  uint32_t height = 0;
  const uint32_t* row(uint32_t y) const { return data + size_t{y} * width; }
};

struct CanvasDifference {
  uint64_t changed = 0;  // Pixels that differ.
  CanvasPlace place;     // The smallest that has them all; width 0: there are none.
  // Pixels that have to become transparent, which nothing that is drawn over others can do.
  uint64_t uncovered = 0;
  CanvasPlace uncovered_place;
};

// The smallest place that has both.
CanvasPlace Together(const CanvasPlace& a, const CanvasPlace& b);

// Looks at nothing but `within`. `cleared` of `before` counts as transparent. Gives up, with some
// more than `most_changed` changed pixels, as soon as there are more.
CanvasDifference CompareCanvases(const CanvasPixels& before, const CanvasPixels& after,
                                 const CanvasPlace& within, const CanvasPlace& cleared = {},
                                 uint64_t most_changed = UINT64_MAX);

}  // namespace pixpress
