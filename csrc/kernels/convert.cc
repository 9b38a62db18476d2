#include "kernels/convert.h"

#include <hwy/targets.h>

#include <algorithm>
#include <cstring>

namespace pixpress {
namespace {

// JFIF's weights in 16-bit fixed point.
constexpr int kHalf = 1 << 15;

uint8_t Clamp8(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

template <typename Sample>
uint32_t Luma(Sample r, Sample g, Sample b) {
  return (19595u * r + 38470u * g + 7471u * b + kHalf) >> 16;
}

template <typename Sample>
void ConvertTyped(const Sample* in, bool in_gray, bool in_alpha, bool out_gray, bool out_alpha,
                  size_t pixels, Sample* out) {
  const size_t in_step = (in_gray ? 1 : 3) + (in_alpha ? 1 : 0);
  const size_t out_step = (out_gray ? 1 : 3) + (out_alpha ? 1 : 0);
  constexpr Sample kOpaque = static_cast<Sample>(~Sample{0});
  for (size_t i = 0; i < pixels; ++i, in += in_step, out += out_step) {
    const Sample r = in[0];
    const Sample g = in_gray ? in[0] : in[1];
    const Sample b = in_gray ? in[0] : in[2];
    if (out_gray) {
      out[0] = in_gray ? r : static_cast<Sample>(Luma(r, g, b));
    } else {
      out[0] = r;
      out[1] = g;
      out[2] = b;
    }
    if (out_alpha) out[out_step - 1] = in_alpha ? in[in_step - 1] : kOpaque;
  }
}

template <typename Sample>
void FlattenTyped(const Sample* in, uint8_t channels, const Sample* background, size_t pixels,
                  Sample* out) {
  const size_t colors = channels - 1u;
  constexpr uint64_t kMost = static_cast<Sample>(~Sample{0});
  for (size_t i = 0; i < pixels; ++i, in += channels, out += colors) {
    const uint64_t alpha = in[colors];
    for (size_t c = 0; c < colors; ++c) {
      out[c] = static_cast<Sample>((in[c] * alpha + background[c] * (kMost - alpha) + kMost / 2) /
                                   kMost);
    }
  }
}

}  // namespace

void YcbcrToRgbRow(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, size_t pixels,
                   uint8_t* rgb) {
  for (size_t i = 0; i < pixels; ++i) {
    const int u = cb[i] - 128;
    const int v = cr[i] - 128;
    rgb[3 * i] = Clamp8(y[i] + ((91881 * v + kHalf) >> 16));
    rgb[3 * i + 1] = Clamp8(y[i] + ((-22554 * u - 46802 * v + kHalf) >> 16));
    rgb[3 * i + 2] = Clamp8(y[i] + ((116130 * u + kHalf) >> 16));
  }
}

void RgbToYcbcrRow(const uint8_t* rgb, size_t pixels, uint8_t* y, uint8_t* cb, uint8_t* cr) {
  for (size_t i = 0; i < pixels; ++i) {
    const int r = rgb[3 * i];
    const int g = rgb[3 * i + 1];
    const int b = rgb[3 * i + 2];
    y[i] = static_cast<uint8_t>(Luma<uint8_t>(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]));
    cb[i] = Clamp8(128 + ((-11059 * r - 21709 * g + 32768 * b + kHalf - 1) >> 16));
    cr[i] = Clamp8(128 + ((32768 * r - 27439 * g - 5329 * b + kHalf - 1) >> 16));
  }
}

void RgbToGrayRow(const uint8_t* rgb, uint8_t channels, size_t pixels, uint8_t* gray) {
  for (size_t i = 0; i < pixels; ++i, rgb += channels) {
    gray[i] = static_cast<uint8_t>(Luma<uint8_t>(rgb[0], rgb[1], rgb[2]));
  }
}

void LumaToLimitedRange(const uint8_t* full, size_t samples, uint8_t* limited) {
  for (size_t i = 0; i < samples; ++i) {
    limited[i] = static_cast<uint8_t>(16 + ((full[i] * 56283 + kHalf) >> 16));
  }
}

void ChromaToLimitedRange(const uint8_t* full, size_t samples, uint8_t* limited) {
  for (size_t i = 0; i < samples; ++i) {
    limited[i] = static_cast<uint8_t>(128 + (((full[i] - 128) * 57569 + kHalf) >> 16));
  }
}

void Widen8To16(const uint8_t* in, size_t samples, uint16_t* out) {
  for (size_t i = 0; i < samples; ++i) out[i] = static_cast<uint16_t>(in[i] * 257);
}

void Narrow16To8(const uint16_t* in, size_t samples, uint8_t* out) {
  for (size_t i = 0; i < samples; ++i) out[i] = static_cast<uint8_t>((in[i] * 255u + 32895) >> 16);
}

void ConvertChannelsRow(const void* in, ColorModel in_color, bool in_alpha, ColorModel out_color,
                        bool out_alpha, uint8_t bits, size_t pixels, void* out) {
  const bool in_gray = in_color == ColorModel::kGray;
  const bool out_gray = out_color == ColorModel::kGray;
  if (in_gray == out_gray && in_alpha == out_alpha) {
    const size_t channels = (in_gray ? 1 : 3) + (in_alpha ? 1 : 0);
    std::memcpy(out, in, pixels * channels * (bits / 8u));
  } else if (bits == 16) {
    ConvertTyped(static_cast<const uint16_t*>(in), in_gray, in_alpha, out_gray, out_alpha, pixels,
                 static_cast<uint16_t*>(out));
  } else {
    ConvertTyped(static_cast<const uint8_t*>(in), in_gray, in_alpha, out_gray, out_alpha, pixels,
                 static_cast<uint8_t*>(out));
  }
}

void FlattenRow(const void* in, uint8_t channels, uint8_t bits, Rgba background, size_t pixels,
                void* out) {
  uint8_t color[3] = {background.r, background.g, background.b};
  if (channels == 2) color[0] = static_cast<uint8_t>(Luma(color[0], color[1], color[2]));
  if (bits == 16) {
    uint16_t wide[3];
    Widen8To16(color, 3, wide);
    FlattenTyped(static_cast<const uint16_t*>(in), channels, wide, pixels,
                 static_cast<uint16_t*>(out));
  } else {
    FlattenTyped(static_cast<const uint8_t*>(in), channels, color, pixels,
                 static_cast<uint8_t*>(out));
  }
}

void CmykToRgbRow(const uint8_t* cmyk, size_t pixels, uint8_t* rgb) {
  for (size_t i = 0; i < pixels; ++i) {
    const int white = 255 - cmyk[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<uint8_t>(((255 - cmyk[4 * i + c]) * white + 127) / 255);
    }
  }
}

const char* SimdTargetName() {
  const int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);  // The lowest bit is the best target.
}

}  // namespace pixpress
