#pragma once
// How large an animation may become, for plans.

#include <cstdint>

#include "image/frame.h"

namespace pixpress {

struct AnimationOutput {
  bool is_lossless = false;
  int quality = 0;
  uint64_t most_overhead_part =
      0;                    // What pixels that do not shrink take besides, as a part of them.
  uint64_t free_bytes = 0;  // No animation is planned to be smaller than this.
  uint64_t frame_head_bytes = 0;
};

// What frames take: without loss at most their pixels (RGBA), else what photographs take that are
// new in every frame. Headers of the file and metadata not included.
uint64_t AnimationOutputBytes(const AnimationInfo& animation, const AnimationOutput& output);

}  // namespace pixpress
