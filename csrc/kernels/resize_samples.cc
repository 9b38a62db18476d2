#include "kernels/resize_samples.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/resize_blend.h"

namespace pixpress {
namespace {

constexpr int32_t kOffset = 32768;
constexpr int32_t kFineMost = 255 << kFineBits;

// sRGB (IEC 61966-2-1) to linear light and back, both of 16 bits.
struct LinearTables {
  std::array<uint16_t, 65536> to_linear;
  std::array<uint16_t, 65536> to_srgb;

  LinearTables() {
    for (size_t i = 0; i < to_linear.size(); ++i) {
      const double x = static_cast<double>(i) / 65535.0;
      const double linear = x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
      const double coded = x <= 0.0031308 ? x * 12.92 : 1.055 * std::pow(x, 1.0 / 2.4) - 0.055;
      to_linear[i] = static_cast<uint16_t>(std::lround(linear * 65535.0));
      to_srgb[i] = static_cast<uint16_t>(std::lround(coded * 65535.0));
    }
  }
  static const LinearTables& Get() {
    static const LinearTables tables;
    return tables;
  }
};

// value / alpha in units of `most`, rounded and saturated; 0 where alpha is 0. `Number` holds the
// product of value and most.
template <typename Number>
uint32_t Unpremultiply(Number value, Number alpha, Number most) {
  if (alpha <= 0) return 0;
  return static_cast<uint32_t>(std::clamp<Number>((value * most + alpha / 2) / alpha, 0, most));
}

// As NarrowRow does; also what Unpremultiply gives for full alpha.
uint8_t NarrowFine(int16_t sample) {
  constexpr int32_t kHalf = 1 << (kFineBits - 1);
  return static_cast<uint8_t>(std::clamp<int32_t>((sample + kHalf) >> kFineBits, 0, 255));
}

}  // namespace

void ResizeSamples::Load(const uint8_t* row, size_t width, int16_t* samples) const {
  if (!is_fine()) return LoadOffset(row, width, samples);
  if (options_.has_alpha) return PremultiplyRow(row, options_.channels, width, samples);
  WidenRow(row, width * options_.channels, samples);
}

void ResizeSamples::Store(const int16_t* samples, size_t width, uint8_t* row) const {
  if (!is_fine()) return StoreOffset(samples, width, row);
  if (options_.has_alpha) return StoreFine(samples, width, row);
  NarrowRow(samples, width * options_.channels, row);
}

void ResizeSamples::StoreFine(const int16_t* samples, size_t width, uint8_t* row) const {
  const size_t colors = options_.channels - 1u;
  for (size_t x = 0; x < width; ++x) {
    const int32_t alpha = std::clamp<int32_t>(samples[colors], 0, kFineMost);
    for (size_t c = 0; c < colors; ++c) {
      row[c] = alpha == kFineMost
                   ? NarrowFine(samples[c])
                   : static_cast<uint8_t>(Unpremultiply<int32_t>(samples[c], alpha, 255));
    }
    row[colors] = NarrowFine(samples[colors]);
    row += options_.channels;
    samples += options_.channels;
  }
}

void ResizeSamples::LoadOffset(const uint8_t* row, size_t width, int16_t* samples) const {
  const auto* const wide = reinterpret_cast<const uint16_t*>(row);
  const auto& to_linear = LinearTables::Get().to_linear;
  const size_t colors = options_.channels - (options_.has_alpha ? 1u : 0u);
  for (size_t x = 0; x < width; ++x) {
    std::array<uint32_t, 4> pixel{};
    for (size_t c = 0; c < options_.channels; ++c) {
      const size_t at = x * options_.channels + c;
      pixel[c] = options_.bits == 16 ? wide[at] : row[at] * 257u;
    }
    for (size_t c = 0; c < colors; ++c) {
      if (options_.linear) pixel[c] = to_linear[pixel[c]];
      if (options_.has_alpha) pixel[c] = (pixel[c] * pixel[colors] + 32767u) / 65535u;
    }
    for (size_t c = 0; c < options_.channels; ++c) {
      *samples++ = static_cast<int16_t>(static_cast<int32_t>(pixel[c]) - kOffset);
    }
  }
}

void ResizeSamples::StoreOffset(const int16_t* samples, size_t width, uint8_t* row) const {
  auto* const wide = reinterpret_cast<uint16_t*>(row);
  const auto& to_srgb = LinearTables::Get().to_srgb;
  const size_t colors = options_.channels - (options_.has_alpha ? 1u : 0u);
  for (size_t x = 0; x < width; ++x) {
    std::array<uint32_t, 4> pixel{};
    for (size_t c = 0; c < options_.channels; ++c) {
      pixel[c] = static_cast<uint32_t>(*samples++ + kOffset);
    }
    for (size_t c = 0; c < colors; ++c) {
      if (options_.has_alpha) pixel[c] = Unpremultiply<int64_t>(pixel[c], pixel[colors], 65535);
      if (options_.linear) pixel[c] = to_srgb[pixel[c]];
    }
    for (size_t c = 0; c < options_.channels; ++c) {
      const size_t at = x * options_.channels + c;
      if (options_.bits == 16) {
        wide[at] = static_cast<uint16_t>(pixel[c]);
      } else {
        row[at] = static_cast<uint8_t>((pixel[c] * 255u + 32895u) >> 16);
      }
    }
  }
}

}  // namespace pixpress
