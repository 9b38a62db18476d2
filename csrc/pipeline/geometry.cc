#include "pipeline/geometry.h"

#include <algorithm>
#include <cmath>

namespace pixpress {
namespace {

uint32_t RoundSide(double side) {
  return static_cast<uint32_t>(std::clamp(std::floor(side + 0.5), 1.0, 4294967295.0));
}

// How much the source is scaled so that it is inside of, or covers, the asked box.
double CommonScale(uint32_t source_width, uint32_t source_height, const Settings& settings,
                   bool covers) {
  const double x = static_cast<double>(settings.width) / source_width;
  const double y = static_cast<double>(settings.height) / source_height;
  if (settings.width == 0) return y;
  if (settings.height == 0) return x;
  return covers ? std::max(x, y) : std::min(x, y);
}

void FitWhole(uint32_t source_width, uint32_t source_height, double scale, const Settings& settings,
              bool covers, Geometry* geometry) {
  geometry->resized_width = RoundSide(source_width * scale);
  geometry->resized_height = RoundSide(source_height * scale);
  if (settings.width == 0 || settings.height == 0) {
    if (settings.width != 0 && scale != 1.0) geometry->resized_width = settings.width;
    if (settings.height != 0 && scale != 1.0) geometry->resized_height = settings.height;
    return;
  }
  if (!covers) {  // Rounding must not leave the box.
    geometry->resized_width = std::min(geometry->resized_width, settings.width);
    geometry->resized_height = std::min(geometry->resized_height, settings.height);
  }
}

// The part of the source with the box's aspect ratio, at `position`.
void CropToBox(uint32_t source_width, uint32_t source_height, double scale,
               const Settings& settings, Geometry* geometry) {
  geometry->resized_width = std::min(settings.width, RoundSide(source_width * scale));
  geometry->resized_height = std::min(settings.height, RoundSide(source_height * scale));
  geometry->crop_width = std::min<double>(source_width, geometry->resized_width / scale);
  geometry->crop_height = std::min<double>(source_height, geometry->resized_height / scale);
  geometry->crop_x = (source_width - geometry->crop_width) * settings.position.x;
  geometry->crop_y = (source_height - geometry->crop_height) * settings.position.y;
  if (scale == 1.0) {  // Whole pixels are cut out, not resampled.
    geometry->crop_x = std::floor(geometry->crop_x + 0.5);
    geometry->crop_y = std::floor(geometry->crop_y + 0.5);
  }
}

}  // namespace

Geometry FitGeometry(uint32_t source_width, uint32_t source_height, const Settings& settings) {
  Geometry geometry;
  geometry.crop_width = source_width;
  geometry.crop_height = source_height;
  geometry.resized_width = geometry.width = source_width;
  geometry.resized_height = geometry.height = source_height;
  if (settings.width == 0 && settings.height == 0) return geometry;

  const bool has_box = settings.width != 0 && settings.height != 0;
  const bool covers = settings.fit == Fit::kCover || settings.fit == Fit::kOutside;
  double scale = CommonScale(source_width, source_height, settings, covers);
  if (!settings.upscale) scale = std::min(scale, 1.0);

  if (has_box && settings.fit == Fit::kFill) {
    const bool grows = settings.upscale;
    geometry.resized_width = grows ? settings.width : std::min(settings.width, source_width);
    geometry.resized_height = grows ? settings.height : std::min(settings.height, source_height);
  } else if (has_box && settings.fit == Fit::kCover) {
    CropToBox(source_width, source_height, scale, settings, &geometry);
  } else {
    FitWhole(source_width, source_height, scale, settings, covers, &geometry);
  }
  geometry.width = geometry.resized_width;
  geometry.height = geometry.resized_height;
  if (has_box && settings.fit == Fit::kContain) {
    geometry.width = std::max(settings.width, geometry.resized_width);
    geometry.height = std::max(settings.height, geometry.resized_height);
    geometry.pad_left = static_cast<uint32_t>(
        std::floor((geometry.width - geometry.resized_width) * settings.position.x + 0.5f));
    geometry.pad_top = static_cast<uint32_t>(
        std::floor((geometry.height - geometry.resized_height) * settings.position.y + 0.5f));
  }
  return geometry;
}

uint8_t ShrinkOnLoad(const Geometry& geometry, uint8_t most, double headroom) {
  const double ratio = std::min(geometry.crop_width / geometry.resized_width,
                                geometry.crop_height / geometry.resized_height);
  uint8_t denominator = 1;
  while (denominator * 2 <= most && ratio >= denominator * 2 * headroom) denominator *= 2;
  return denominator;
}

}  // namespace pixpress
