#pragma once
// How large an animation may become, for plans.

#include <cstdint>

#include "image/frame.h"

namespace pixpress {

struct AnimationOutput {
  bool is_lossless = false;
  int quality = 0;
  uint64_t most_pixel_bytes = 4;    // What pixels that do not shrink take, in whole bytes,
  uint64_t most_overhead_part = 0;  // and besides, as a part of their number.
  uint64_t free_bytes = 0;          // No animation is planned to be smaller than this.
  uint64_t file_head_bytes = 0;
  uint64_t frame_head_bytes = 0;
};

// What frames take: without loss what noise takes, else what photographs take that are new in every
// frame. Metadata is not included.
uint64_t AnimationOutputBytes(const AnimationInfo& animation, const AnimationOutput& output);

}  // namespace pixpress
