#include "kernels/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pixpress {
namespace {

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  return std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

// The cubic family of Mitchell and Netravali (1988) with parameters b and c.
double Cubic(double x, double b, double c) {
  if (x < 1.0) {
    return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + (6 - 2 * b)) / 6;
  }
  if (x < 2.0) {
    return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x +
            (8 * b + 24 * c)) /
           6;
  }
  return 0.0;
}

double Support(Filter filter) {
  switch (filter) {
    case Filter::kNearest:
    case Filter::kBox:
      return 0.5;
    case Filter::kBilinear:
    case Filter::kHamming:
      return 1.0;
    case Filter::kBicubic:
    case Filter::kMitchell:
      return 2.0;
    case Filter::kLanczos:
      return 3.0;
  }
  return 0.5;
}

double Evaluate(Filter filter, double at) {
  const double x = std::abs(at);
  switch (filter) {
    case Filter::kNearest:
    case Filter::kBox:
      return at > -0.5 && at <= 0.5 ? 1.0 : 0.0;
    case Filter::kBilinear:
      return std::max(0.0, 1.0 - x);
    case Filter::kHamming:
      return x < 1.0 ? Sinc(x) * (0.54 + 0.46 * std::cos(std::numbers::pi * x)) : 0.0;
    case Filter::kBicubic:
      return Cubic(x, 0.0, 0.5);
    case Filter::kMitchell:
      return Cubic(x, 1.0 / 3.0, 1.0 / 3.0);
    case Filter::kLanczos:
      return x < 3.0 ? Sinc(x) * Sinc(x / 3.0) : 0.0;
  }
  return 0.0;
}

// Round to fixed point so that the sum is exact: the largest weight takes the difference.
void AppendRounded(const std::vector<double>& exact, std::vector<int16_t>* out) {
  double sum = 0.0;
  for (const double weight : exact) sum += weight;
  const size_t first = out->size();
  int total = 0;
  size_t largest = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const int rounded = static_cast<int>(std::lround(exact[i] / sum * (1 << kWeightBits)));
    out->push_back(static_cast<int16_t>(rounded));
    total += rounded;
    if (exact[i] > exact[largest]) largest = i;
  }
  (*out)[first + largest] =
      static_cast<int16_t>((*out)[first + largest] + (1 << kWeightBits) - total);
}

}  // namespace

uint32_t MostTaps(const ResizeAxis& axis, Filter filter) {
  const double radius = Support(filter) * std::max(1.0, axis.scale);
  return std::min<uint32_t>(axis.in_size, static_cast<uint32_t>(std::ceil(radius)) * 2 + 2);
}

ResizeWeights ResizeWeights::Make(const ResizeAxis& axis, Filter filter) {
  ResizeWeights made;
  const double stretch = std::max(1.0, axis.scale);
  const double radius = Support(filter) * stretch;
  const int64_t last = static_cast<int64_t>(axis.in_size) - 1;
  std::vector<double> exact;
  for (uint32_t i = 0; i < axis.out_size; ++i) {
    const double center = (i + 0.5) * axis.scale + axis.offset;
    Window window;
    window.offset = made.weights.size();
    int64_t low = static_cast<int64_t>(std::floor(center - radius));
    int64_t high = static_cast<int64_t>(std::ceil(center + radius));
    if (filter == Filter::kNearest) low = high = static_cast<int64_t>(std::floor(center));
    low = std::clamp<int64_t>(low, 0, last);
    high = std::clamp<int64_t>(high, low, last);
    exact.clear();
    for (int64_t j = low; j <= high; ++j) {
      exact.push_back(low == high ? 1.0 : Evaluate(filter, (j + 0.5 - center) / stretch));
    }
    double sum = 0.0;
    for (const double weight : exact) sum += weight;
    if (sum <= 0.0) {  // The window lies beyond the edge: repeat the edge sample.
      exact.assign(1, 1.0);
      low = high = std::clamp<int64_t>(static_cast<int64_t>(std::floor(center)), 0, last);
    }
    window.first = static_cast<uint32_t>(low);
    window.count = static_cast<uint32_t>(exact.size());
    made.most_taps = std::max(made.most_taps, window.count);
    AppendRounded(exact, &made.weights);
    made.windows.push_back(window);
  }
  return made;
}

}  // namespace pixpress
