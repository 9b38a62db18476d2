#pragma once
// Pixels of a color profile as sRGB, through lcms2: perceptual intent, as ImageCms converts by
// default. Profiles are untrusted: their size and what the library may allocate are bounded, and
// nothing that they hold makes more than a Status. The same bytes for any stripe heights.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "image/metadata.h"
#include "image/pixel_format.h"
#include "memory/meter.h"

namespace pixpress {

// Larger profiles are refused. Those of the printing industry have 0.5 to 3 MB.
inline constexpr size_t kMaxProfileBytes = 4u << 20;
// The most that one transform may hold; more is refused while it is made.
inline constexpr size_t kColorTransformBytes = 24u << 20;

// The library and its run-time version, for features().
std::string ColorLibraryVersion();

// Does the profile describe such pixels? Reads its header only.
bool ProfileFits(std::span<const uint8_t> icc, ColorModel color);

// Do gAMA and cHRM, or cICP before them, say colors that differ visibly from sRGB? sRGB chunks are
// believed. HDR transfer functions are not among those that can be converted: false.
bool DiffersFromSrgb(const PngColor& color);

// Immutable once made, so that several threads may convert with it at a time.
class ColorTransform {
 public:
  virtual ~ColorTransform() = default;

  // `in` is the layout of one-plane pixels: gray, RGB or CMYK, of 8 or 16 bits. The result is
  // gray for gray, else RGB, of the same depth and with the same alpha. `meter` outlives the
  // transform. kUnsupportedFormat or kCorruptImage, with the reason, if the profile is of no use.
  static Result<std::unique_ptr<ColorTransform>> FromProfile(std::span<const uint8_t> icc,
                                                             const ImageLayout& in, Meter& meter);
  // From the color chunks of a PNG, of which DiffersFromSrgb is true.
  static Result<std::unique_ptr<ColorTransform>> FromPngColor(const PngColor& color,
                                                              const ImageLayout& in, Meter& meter);

  // No color of 8 bits changes by more than 1: the pixels are sRGB already.
  virtual bool is_nearly_identity() const = 0;
  // `in` and `out` do not overlap.
  virtual void ConvertRow(const uint8_t* in, size_t pixels, uint8_t* out) const = 0;
};

}  // namespace pixpress
