#pragma once
// What changes from one canvas of a GIF to the next.

#include <cstdint>

#include "codecs/gif_writer.h"

namespace pixpress {

// A canvas of GifColor()s, borrowed, without gaps between rows.
struct GifPixels {
  const uint32_t* data = nullptr;
  uint32_t width = 0;
  uint32_t height = 0;
  const uint32_t* row(uint32_t y) const { return data + size_t{y} * width; }
};

struct GifDifference {
  uint64_t changed = 0;  // Pixels that differ.
  GifPlace place;        // The smallest that has them all; width 0: there are none.
  // Pixels that have to become transparent, which no frame can draw.
  uint64_t uncovered = 0;
  GifPlace uncovered_place;
};

// The smallest place that has both.
GifPlace Together(const GifPlace& a, const GifPlace& b);

// `cleared` of `before` counts as transparent. Gives up, with some more than `most_changed` changed
// pixels, as soon as there are more.
GifDifference CompareGifCanvases(const GifPixels& before, const GifPixels& after,
                                 const GifPlace& cleared = {}, uint64_t most_changed = UINT64_MAX);

}  // namespace pixpress
