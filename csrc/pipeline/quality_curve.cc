#include "pipeline/quality_curve.h"

#include <algorithm>

namespace pixpress {
namespace {

// From 90 on chroma is not subsampled, which is a step for JPEG and AVIF.
constexpr QualityCurve kQualities = {1, 10, 20, 30, 40, 50, 60, 70, 80, 85, 89, 90, 95, 100};

// On the lines through the points (from[i], to[i]), both rising.
double Interpolated(const QualityCurve& from, const QualityCurve& to, double at) {
  const double x = std::clamp(at, from.front(), from.back());
  const auto above = std::upper_bound(from.begin() + 1, from.end() - 1, x);
  const auto i = static_cast<size_t>(above - from.begin());
  return to[i - 1] + (to[i] - to[i - 1]) * (x - from[i - 1]) / (from[i] - from[i - 1]);
}

}  // namespace

double ValueAt(const QualityCurve& curve, double quality) {
  return Interpolated(kQualities, curve, quality);
}

double QualityAt(const QualityCurve& curve, double value) {
  return Interpolated(curve, kQualities, value);
}

}  // namespace pixpress
