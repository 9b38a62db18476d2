#include "pipeline/typical_score.h"

#include "pipeline/quality_curve.h"

namespace pixpress {
namespace {

// Measured at effort 5 with `benchmarks/typical_curves.py`.
constexpr QualityCurve kJpeg = {-64, -14, 26, 44, 54, 60, 65, 70.5, 77, 79.5, 82, 86.5, 90.5, 95.7};
constexpr QualityCurve kWebp = {1, 29, 42, 50.5, 56.5, 61.5, 65.5, 69, 75, 79.5, 83, 83.7, 88, 90};
constexpr QualityCurve kAvif = {-46,  -11,  17, 38,   54,   65.5, 74.7,
                                79.3, 83.3, 86, 87.2, 90.5, 93,   96.5};

const QualityCurve& ScoresOf(Format format) {
  if (format == Format::kWebp) return kWebp;
  return format == Format::kAvif ? kAvif : kJpeg;
}

}  // namespace

double TypicalScore(Format format, double quality) { return ValueAt(ScoresOf(format), quality); }

double QualityOfTypicalScore(Format format, double score) {
  return QualityAt(ScoresOf(format), score);
}

}  // namespace pixpress
