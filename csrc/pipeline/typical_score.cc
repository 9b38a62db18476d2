#include "pipeline/typical_score.h"

#include "pipeline/quality_curve.h"

namespace pixpress {
namespace {

// Measured at effort 5 with `benchmarks/typical_curves.py`.
constexpr QualityCurves kScores = {
    .jpeg = {{-64, -14, 26, 44, 54, 60, 65, 70.5, 77, 79.5, 82, 86.5, 90.5, 95.7}},
    .webp = {{1, 29, 42, 50.5, 56.5, 61.5, 65.5, 69, 75, 79.5, 83, 83.7, 88, 90}},
    .avif = {{-46, -11, 17, 38, 54, 65.5, 74.7, 79.3, 83.3, 86, 87.2, 90.5, 93, 96.5}}};

}  // namespace

double TypicalScore(Format format, double quality) { return ValueAt(kScores.Of(format), quality); }

double QualityOfTypicalScore(Format format, double score) {
  return QualityAt(kScores.Of(format), score);
}

}  // namespace pixpress
