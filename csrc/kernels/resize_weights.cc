#include "kernels/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// sin(pi * x) by its power series about the nearest multiple of pi. The C library's sine has
// another last bit on other CPUs, and a weight that it rounds the other way would change outputs.
double SinPi(double x) {
  const double turns = std::floor(x + 0.5);
  const double angle = (x - turns) * std::numbers::pi;  // At most a quarter turn.
  double term = angle;
  double sum = angle;
  for (int i = 2; i <= 22; i += 2) {
    term *= -angle * angle / (i * (i + 1));
    sum += term;
  }
  return std::fmod(turns, 2.0) == 0.0 ? sum : -sum;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  return SinPi(x) / (std::numbers::pi * x);
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
      return x < 1.0 ? Sinc(x) * (0.54 + 0.46 * SinPi(x + 0.5)) : 0.0;
    case Filter::kBicubic:
      return Cubic(x, 0.0, 0.5);
    case Filter::kMitchell:
      return Cubic(x, 1.0 / 3.0, 1.0 / 3.0);
    case Filter::kLanczos:
      return x < 3.0 ? Sinc(x) * Sinc(x / 3.0) : 0.0;
  }
  return 0.0;
}

// Round to fixed point so that the sum is exact: the difference is spread evenly, so that long
// windows keep their shape and mirrored windows mirrored weights.
std::vector<int16_t> Rounded(const std::vector<double>& exact) {
  double sum = 0.0;
  for (const double weight : exact) sum += weight;
  std::vector<int16_t> weights;
  int missing = 1 << kWeightBits;
  for (const double weight : exact) {
    weights.push_back(static_cast<int16_t>(std::lround(weight / sum * (1 << kWeightBits))));
    missing -= weights.back();
  }
  const int16_t step = missing < 0 ? -1 : 1;
  const size_t changes = static_cast<size_t>(std::abs(missing));
  for (size_t k = 0; k < changes; ++k) {
    int16_t& weight = weights[(2 * k + 1) * weights.size() / (2 * changes)];
    weight = static_cast<int16_t>(weight + step);
  }
  return weights;
}

// The exact weights around `center`, and the first sample that they belong to. A window beyond the
// edge is the edge sample; an axis that changes nothing copies, whatever the filter would blur.
std::vector<double> ExactWindow(const ResizeAxis& axis, Filter filter, double center,
                                int64_t* first) {
  const double stretch = std::max(1.0, axis.scale);
  const double radius = Support(filter) * stretch;
  const int64_t last = static_cast<int64_t>(axis.in_size) - 1;
  const int64_t nearest = std::clamp<int64_t>(std::llround(std::floor(center)), 0, last);
  std::vector<double> exact;
  double sum = 0.0;
  if (filter != Filter::kNearest && !axis.is_identity()) {
    *first = std::clamp<int64_t>(std::llround(std::floor(center - radius)), 0, last);
    const int64_t end = std::clamp<int64_t>(std::llround(std::ceil(center + radius)), *first, last);
    for (int64_t j = *first; j <= end; ++j) {
      exact.push_back(Evaluate(filter, (j + 0.5 - center) / stretch));
      sum += exact.back();
    }
  }
  if (sum <= 0.0) {
    *first = nearest;
    exact.assign(1, 1.0);
  }
  return exact;
}

}  // namespace

uint32_t MostTaps(const ResizeAxis& axis, Filter filter) {
  const double radius = Support(filter) * std::max(1.0, axis.scale);
  return std::min<uint32_t>(axis.in_size, static_cast<uint32_t>(std::ceil(radius)) * 2 + 2);
}

uint64_t ResizeWeights::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  const uint64_t most_taps = RoundUpTo<uint64_t>(MostTaps(axis, filter), kTapGroup);
  // Vectors grow by doubling, and hold both halves while they do.
  return 3 * axis.out_size * (sizeof(Window) + most_taps * sizeof(int16_t)) + 16 * most_taps;
}

ResizeWeights ResizeWeights::Make(const ResizeAxis& axis, Filter filter) {
  ResizeWeights made;
  made.windows.reserve(axis.out_size);
  for (uint32_t i = 0; i < axis.out_size; ++i) {
    int64_t first = 0;
    const std::vector<int16_t> weights =
        Rounded(ExactWindow(axis, filter, (i + 0.5) * axis.scale + axis.offset, &first));
    const auto is_used = [](int16_t weight) { return weight != 0; };
    const auto begin = std::find_if(weights.begin(), weights.end(), is_used);
    const auto end = std::find_if(weights.rbegin(), weights.rend(), is_used).base();
    Window window;
    window.first = static_cast<uint32_t>(first + (begin - weights.begin()));
    window.count = static_cast<uint32_t>(end - begin);
    window.offset = made.weights.size();
    made.weights.insert(made.weights.end(), begin, end);
    made.weights.resize(RoundUpTo(made.weights.size(), kTapGroup), 0);
    made.most_taps = std::max(made.most_taps, window.count);
    made.windows.push_back(window);
  }
  return made;
}

}  // namespace pixpress
