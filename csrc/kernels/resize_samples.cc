#include "kernels/resize_samples.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/premultiply.h"
#include "kernels/resize_blend.h"

namespace pixpress {
namespace {

constexpr int32_t kOffset = 32768;

// sRGB (IEC 61966-2-1) to linear light and back, both of 16 bits.
struct LinearTables {
  std::array<uint16_t, 65536> to_linear;
  std::array<uint16_t, 65536> to_srgb;
  std::array<uint16_t, 256> bytes_to_linear;

  LinearTables() {
    for (size_t i = 0; i < to_linear.size(); ++i) {
      const double x = static_cast<double>(i) / 65535.0;
      const double linear = x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
      const double coded = x <= 0.0031308 ? x * 12.92 : 1.055 * std::pow(x, 1.0 / 2.4) - 0.055;
      to_linear[i] = static_cast<uint16_t>(std::lround(linear * 65535.0));
      to_srgb[i] = static_cast<uint16_t>(std::lround(coded * 65535.0));
    }
    for (size_t i = 0; i < 256; ++i) bytes_to_linear[i] = to_linear[i * 257];
  }
  static const LinearTables& Get() {
    static const LinearTables tables;
    return tables;
  }
};

// value / alpha in units of 1/65535, rounded and saturated; 0 where alpha is 0.
uint32_t Unpremultiply(uint32_t value, uint32_t alpha) {
  if (alpha == 0) return 0;
  const uint64_t quotient = (uint64_t{value} * 65535u + alpha / 2) / alpha;
  return static_cast<uint32_t>(std::min<uint64_t>(quotient, 65535u));
}

int16_t Offset(uint32_t value) {
  return static_cast<int16_t>(static_cast<int32_t>(value) - kOffset);
}

uint8_t Narrowed(uint32_t value) { return static_cast<uint8_t>((value * 255u + 32895u) >> 16); }

}  // namespace

void ResizeSamples::Load(const uint8_t* row, size_t width, int16_t* samples) const {
  if (!is_fine() && options_.has_alpha) return LoadWeighed(row, width, samples);
  if (!is_fine()) return LoadOffset(row, width * options_.channels, samples);
  if (options_.has_alpha) return PremultiplyRow(row, options_.channels, width, samples);
  WidenRow(row, width * options_.channels, samples);
}

void ResizeSamples::Store(const int16_t* samples, size_t width, uint8_t* row) const {
  if (!is_fine() && options_.has_alpha) return StoreWeighed(samples, width, row);
  if (!is_fine()) return StoreOffset(samples, width * options_.channels, row);
  if (options_.has_alpha) return UnpremultiplyRow(samples, options_.channels, width, row);
  NarrowRow(samples, width * options_.channels, row);
}

void ResizeSamples::LoadOffset(const uint8_t* row, size_t count, int16_t* samples) const {
  const auto* const wide = reinterpret_cast<const uint16_t*>(row);
  if (!options_.linear) {
    for (size_t i = 0; i < count; ++i) samples[i] = Offset(wide[i]);
  } else if (options_.bits == 16) {
    const auto& to_linear = LinearTables::Get().to_linear;
    for (size_t i = 0; i < count; ++i) samples[i] = Offset(to_linear[wide[i]]);
  } else {
    const auto& to_linear = LinearTables::Get().bytes_to_linear;
    for (size_t i = 0; i < count; ++i) samples[i] = Offset(to_linear[row[i]]);
  }
}

void ResizeSamples::StoreOffset(const int16_t* samples, size_t count, uint8_t* row) const {
  auto* const wide = reinterpret_cast<uint16_t*>(row);
  const auto& to_srgb = LinearTables::Get().to_srgb;
  if (!options_.linear) {
    for (size_t i = 0; i < count; ++i) wide[i] = static_cast<uint16_t>(samples[i] + kOffset);
  } else if (options_.bits == 16) {
    for (size_t i = 0; i < count; ++i) wide[i] = to_srgb[static_cast<size_t>(samples[i] + kOffset)];
  } else {
    for (size_t i = 0; i < count; ++i) {
      row[i] = Narrowed(to_srgb[static_cast<size_t>(samples[i] + kOffset)]);
    }
  }
}

void ResizeSamples::LoadWeighed(const uint8_t* row, size_t width, int16_t* samples) const {
  const auto* const wide = reinterpret_cast<const uint16_t*>(row);
  if (!options_.linear) return PremultiplyWideRow(wide, options_.channels, width, samples);
  const auto& to_linear = LinearTables::Get().to_linear;
  const size_t colors = options_.channels - 1u;
  const auto sample = [&](size_t at) -> uint32_t {
    return options_.bits == 16 ? wide[at] : row[at] * 257u;
  };
  for (size_t at = 0; at < width * options_.channels; at += options_.channels) {
    const uint32_t alpha = sample(at + colors);
    for (size_t i = at; i < at + colors; ++i) {
      samples[i] = Offset((to_linear[sample(i)] * alpha + 32767u) / 65535u);
    }
    samples[at + colors] = Offset(alpha);
  }
}

void ResizeSamples::StoreWeighed(const int16_t* samples, size_t width, uint8_t* row) const {
  auto* const wide = reinterpret_cast<uint16_t*>(row);
  if (!options_.linear) return UnpremultiplyWideRow(samples, options_.channels, width, wide);
  const auto& to_srgb = LinearTables::Get().to_srgb;
  const size_t colors = options_.channels - 1u;
  const auto store = [&](size_t at, uint32_t value) {
    if (options_.bits == 16) {
      wide[at] = static_cast<uint16_t>(value);
    } else {
      row[at] = Narrowed(value);
    }
  };
  for (size_t at = 0; at < width * options_.channels; at += options_.channels) {
    const auto alpha = static_cast<uint32_t>(samples[at + colors] + kOffset);
    for (size_t i = at; i < at + colors; ++i) {
      const uint32_t color = Unpremultiply(static_cast<uint32_t>(samples[i] + kOffset), alpha);
      store(i, to_srgb[color]);
    }
    store(at + colors, alpha);
  }
}

}  // namespace pixpress
