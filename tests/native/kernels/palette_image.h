#pragma once
// Pixels that the palette tests share, and room to work on them.

#include <cstdint>
#include <random>
#include <vector>

#include "image/work_context.h"
#include "kernels/palette.h"
#include "memory/buffer.h"

namespace pixpress {

// What a kernel is given, without threads.
struct PaletteWorkplace {
  BufferPool pool{256u << 20};
  Meter meter{pool};
  SerialParallel parallel;
  WorkContext context{meter, StopToken(), parallel};
};

struct PaletteImage {
  uint32_t width = 0;
  uint32_t height = 0;
  uint8_t channels = 3;
  std::vector<uint8_t> data;

  PixelView view() const {
    return {data.data(), size_t{width} * channels, width, height, channels};
  }
  const uint8_t* at(uint32_t x, uint32_t y) const {
    return &data[(size_t{y} * width + x) * channels];
  }
};

// A smooth gradient with noise; with 4 channels transparent, translucent and opaque parts.
inline PaletteImage NoisyGradient(uint32_t width, uint32_t height, uint8_t channels,
                                  uint32_t seed = 1) {
  PaletteImage image{width, height, channels, {}};
  std::mt19937 random(seed);
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const auto value = [&](uint32_t at, uint32_t size) {
        return static_cast<uint8_t>(at * 240 / size + static_cast<uint32_t>(random()) % 16);
      };
      image.data.push_back(value(x, width));
      image.data.push_back(value(y, height));
      image.data.push_back(value(x + y, width + height));
      if (channels < 4) continue;
      const uint32_t alpha = x * 3 / width == 0 ? 0 : x * 3 / width == 1 ? 255 : value(y, height);
      image.data.push_back(static_cast<uint8_t>(alpha));
    }
  }
  return image;
}

}  // namespace pixpress
