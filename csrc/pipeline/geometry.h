#pragma once
// Where pixels go: orientation, the five fits, and shrink on load, as numbers.

#include <cstdint>

#include "base/status.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// From the oriented source to the output: the part [crop_x, crop_x + crop_width) x ... of the
// source is resampled to resized_width x resized_height, which lies at (pad_left, pad_top) on a
// canvas of width x height.
struct Geometry {
  double crop_x = 0.0;
  double crop_y = 0.0;
  double crop_width = 0.0;
  double crop_height = 0.0;
  uint32_t resized_width = 0;
  uint32_t resized_height = 0;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t pad_left = 0;
  uint32_t pad_top = 0;

  bool is_resized(uint32_t source_width, uint32_t source_height) const {
    return crop_width != source_width || crop_height != source_height ||
           resized_width != source_width || resized_height != source_height;
  }
  bool is_padded() const { return width != resized_width || height != resized_height; }
};

// `source_*` are the sides after orientation. Fits are those of sharp: inside and outside keep the
// aspect ratio and all pixels, cover crops, contain pads, fill distorts. Without `upscale` no side
// grows beyond the source's.
Geometry FitGeometry(uint32_t source_width, uint32_t source_height, const Settings& settings);

// The largest of 1, 2, 4, 8 up to `most` by which a decoder may shrink and still leave the resize a
// ratio of at least `headroom` in both directions.
uint8_t ShrinkOnLoad(const Geometry& geometry, uint8_t most, double headroom);

}  // namespace pixpress
