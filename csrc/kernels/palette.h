#pragma once
// Reduce an image to at most 256 colors: choose a palette, then map pixels to it with dithering.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "image/pixel_format.h"
#include "image/work_context.h"

namespace pixpress {

// Borrowed 8-bit pixels: RGB (3 channels) or RGBA (4).
struct PixelView {
  const uint8_t* data = nullptr;
  size_t stride_bytes = 0;
  uint32_t width = 0;
  uint32_t height = 0;
  uint8_t channels = 3;
};

struct PaletteOptions {
  uint32_t max_colors = 256;  // 2 to 256
  float dither = 1.0f;        // 0 (none) to 1 (full error diffusion)
  int effort = 5;             // 1 to 10: rounds of refinement.
  // 1 to 100: use the fewest colors that reach this quality, fail with kOption if max_colors
  // cannot. The quality is the signal-to-noise ratio before dithering of what is visible:
  //   10 log10(255^2 / E) >= PaletteDecibels(min_quality),
  // where E is the mean over pixels of the squared differences of red, green and blue on gray
  // ground and of alpha, weighted 9, 16, 4 and 9 of 45: about the mean of what black and white
  // ground show. 100 allows no error at all.
  // Colors that the histogram of a big image counts together stand for their mean.
  std::optional<int> min_quality = std::nullopt;
  bool lossless = false;  // Fail with kOption where the image has more than max_colors.
};

// 24 + quality / 5: 24.2 at 1, 40 at 80, 42 at 90.
double PaletteDecibels(int quality);

// A palette that covers the image, most used color first, never more than max_colors. Exact,
// without loss, if the image has no more than max_colors (all fully transparent pixels are one).
// Colors of transparent pixels are dropped. The same bytes on every machine and SIMD target.
Result<std::vector<Rgba>> ChoosePalette(const PixelView& pixels, const PaletteOptions& options,
                                        const WorkContext& context);

// The palette index of each pixel, `indices_stride_bytes` per row. No dithering if the palette has
// every color of the image. `palette` has 1 to 256 colors.
Status MapToPalette(const PixelView& pixels, const std::vector<Rgba>& palette,
                    const PaletteOptions& options, const WorkContext& context, uint8_t* indices,
                    size_t indices_stride_bytes);

// What the two charge at most.
uint64_t PaletteMemoryBytes(uint32_t width, uint32_t height);

}  // namespace pixpress
