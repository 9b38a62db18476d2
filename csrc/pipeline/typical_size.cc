#include "pipeline/typical_size.h"

#include "pipeline/quality_curve.h"

namespace pixpress {
namespace {

// Measured at effort 5 with `benchmarks/typical_curves.py`.
constexpr QualityCurves kSizes = {
    .jpeg = {{-4.0, -2.65, -1.85, -1.41, -1.1, -0.88, -0.65, -0.38, 0, 0.3, 0.57, 1.0, 1.6, 2.7}},
    .webp = {{-2.5, -1.8, -1.4, -1.14, -0.9, -0.69, -0.52, -0.35, 0, 0.3, 0.63, 0.7, 1.3, 1.8}},
    .avif = {{-4.7, -3.9, -3.1, -2.5, -1.9, -1.35, -0.77, -0.4, 0, 0.33, 0.57, 0.92, 1.5, 2.6}}};

}  // namespace

double TypicalSize(Format format, double quality) { return ValueAt(kSizes.Of(format), quality); }

double QualityOfTypicalSize(Format format, double size) {
  return QualityAt(kSizes.Of(format), size);
}

}  // namespace pixpress
