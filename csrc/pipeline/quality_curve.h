#pragma once
// What rises with the quality, measured at some qualities and on lines between them.

#include <array>
#include <cstddef>

#include "codecs/codec.h"

namespace pixpress {

inline constexpr size_t kQualityKnots = 14;
// The values at the qualities of quality_curve.cc, rising.
using QualityCurve = std::array<double, kQualityKnots>;

// One for each lossy format.
struct QualityCurves {
  QualityCurve jpeg, webp, avif;

  const QualityCurve& Of(Format format) const {
    return format == Format::kWebp ? webp : format == Format::kAvif ? avif : jpeg;
  }
};

// The value at `quality` (1 to 100, fractions too).
double ValueAt(const QualityCurve& curve, double quality);

// The quality at which the value is `value`; 1 or 100 beyond the curve.
double QualityAt(const QualityCurve& curve, double value);

}  // namespace pixpress
