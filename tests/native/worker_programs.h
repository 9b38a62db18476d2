#pragma once
// The worker programs of this build, and images for them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/one_shot.h"

namespace pixpress {

inline const std::string kWorker = PIXPRESS_WORKER;
// Does what images ask for; see test_hooks.cc.
inline const std::string kHookedWorker = PIXPRESS_HOOKED_WORKER;

// A small PNG, and what comes after its end.
inline std::vector<uint8_t> TestImage(std::string_view tail = "", uint32_t width = 64,
                                      uint32_t height = 48) {
  std::vector<uint8_t> pixels(size_t{width} * height * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i / 7);
  JobSpec spec;
  Settings settings;
  settings.format = Format::kPng;
  spec.settings = std::make_shared<const Settings>(settings);
  spec.source.kind = Source::Kind::kPixels;
  spec.source.layout = ImageLayout::Interleaved(width, height, ColorModel::kRgb, false);
  spec.source.stride_bytes = spec.source.layout.row_bytes(0);
  spec.source.bytes = pixels;
  OneShotJob job;
  if (!job.Run(spec).ok()) return {};
  std::vector<uint8_t> image(job.result().data->size_bytes());
  job.result().data->CopyTo(image.data());
  image.insert(image.end(), tail.begin(), tail.end());
  return image;
}

}  // namespace pixpress
