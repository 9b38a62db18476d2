#include "codecs/animation_output.h"

#include <algorithm>

#include "base/checked_math.h"

namespace pixpress {

uint64_t AnimationOutputBytes(const AnimationInfo& animation, const AnimationOutput& output) {
  const uint64_t pixels =
      SaturatingMul(SaturatingMul(animation.width, animation.height), animation.frames);
  const uint64_t heads = SaturatingAdd(SaturatingMul(animation.frames, output.frame_head_bytes),
                                       output.file_head_bytes);
  const uint64_t most = SaturatingAdd(SaturatingMul(pixels, output.most_pixel_bytes),
                                      pixels / output.most_overhead_part);
  if (output.is_lossless) return SaturatingAdd(most, heads);
  // Thousandths of a byte for each pixel.
  const uint64_t rate = output.quality <= 80 ? 150 : output.quality <= 90 ? 300 : 900;
  const uint64_t usual = std::max(output.free_bytes, SaturatingMul(pixels, rate) / 1000);
  return SaturatingAdd(std::min(most, usual), heads);
}

}  // namespace pixpress
