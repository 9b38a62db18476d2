#include "pipeline/typical_score.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace pixpress {
namespace {

constexpr size_t kKnots = 14;
constexpr std::array<double, kKnots> kQualities = {1,  10, 20, 30, 40, 50, 60,
                                                   70, 80, 85, 89, 90, 95, 100};
using Scores = std::array<double, kKnots>;

// Measured at effort 5 with `benchmarks/typical_scores.py`. From 90 on chroma is not subsampled,
// which is a step for JPEG and AVIF.
constexpr Scores kJpeg = {-64, -14, 26, 44, 54, 60, 65, 70.5, 77, 79.5, 82, 86.5, 90.5, 95.7};
constexpr Scores kWebp = {1, 29, 42, 50.5, 56.5, 61.5, 65.5, 69, 75, 79.5, 83, 83.7, 88, 90};
constexpr Scores kAvif = {-46, -11, 17, 38, 54, 65.5, 74.7, 79.3, 83.3, 86, 87.2, 90.5, 93, 96.5};

const Scores& ScoresOf(Format format) {
  if (format == Format::kWebp) return kWebp;
  return format == Format::kAvif ? kAvif : kJpeg;
}

// On the lines through the points (from[i], to[i]), both rising.
double Interpolated(const Scores& from, const Scores& to, double at) {
  const double x = std::clamp(at, from.front(), from.back());
  const auto above = std::upper_bound(from.begin() + 1, from.end() - 1, x);
  const auto i = static_cast<size_t>(above - from.begin());
  return to[i - 1] + (to[i] - to[i - 1]) * (x - from[i - 1]) / (from[i] - from[i - 1]);
}

}  // namespace

double TypicalScore(Format format, double quality) {
  return Interpolated(kQualities, ScoresOf(format), quality);
}

double QualityOfTypicalScore(Format format, double score) {
  return Interpolated(ScoresOf(format), kQualities, score);
}

}  // namespace pixpress
