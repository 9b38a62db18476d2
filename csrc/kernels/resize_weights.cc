#include "kernels/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// sin(pi * x), x from 0 on, by its power series about the nearest integer. The C library's sine has
// another last bit on other CPUs, and a weight that it rounds the other way would change outputs.
double SinPi(double x) {
  // (-1)^k pi^(2k + 1) / (2k + 1)!, the highest power first.
  constexpr double kSeries[] = {
      -1.0518471716932054e-11, 5.392664662608125e-10,   -2.2948428997269856e-08,
      7.952054001475508e-07,   -2.1915353447830204e-05, 0.00046630280576761234,
      -0.007370430945714348,   0.08214588661112819,     -0.5992645293207919,
      2.550164039877345,       -5.167712780049969,      3.141592653589793};
  const int turns = static_cast<int>(x + 0.5);
  const double part = x - turns;  // At most a half on either side.
  double sum = 0.0;
  for (const double factor : kSeries) sum = sum * (part * part) + factor;
  sum *= part;
  return turns % 2 == 0 ? sum : -sum;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  return SinPi(x) / (std::numbers::pi * x);
}

// Sinc(x) * Sinc(x / 3), with the sine of the triple angle from that of the single one.
double Lanczos3(double x) {
  if (x == 0.0) return 1.0;
  const double sine = SinPi(x / 3.0);
  const double angle = std::numbers::pi * x;
  return 3.0 * sine * sine * (3.0 - 4.0 * sine * sine) / (angle * angle);
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
      return x < 3.0 ? Lanczos3(x) : 0.0;
  }
  return 0.0;
}

// Round to fixed point so that the sum is exact: the difference is spread evenly, so that long
// windows keep their shape and mirrored windows mirrored weights.
void Round(const std::vector<double>& exact, std::vector<int16_t>* weights) {
  double sum = 0.0;
  for (const double weight : exact) sum += weight;
  weights->clear();
  int missing = 1 << kWeightBits;
  for (const double weight : exact) {
    const double scaled = weight / sum * (1 << kWeightBits);
    weights->push_back(static_cast<int16_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5)));
    missing -= weights->back();
  }
  const int16_t step = missing < 0 ? -1 : 1;
  const size_t changes = static_cast<size_t>(std::abs(missing));
  for (size_t k = 0; k < changes; ++k) {
    int16_t& weight = (*weights)[(2 * k + 1) * weights->size() / (2 * changes)];
    weight = static_cast<int16_t>(weight + step);
  }
}

// Finds the exact weights around `center`, and returns the first sample that they belong to. A
// window beyond the edge is the edge sample; an axis that changes nothing copies, whatever the
// filter would blur.
int64_t FindWindow(const ResizeAxis& axis, Filter filter, double center,
                   std::vector<double>* exact) {
  const double stretch = std::max(1.0, axis.scale);
  const double radius = Support(filter) * stretch;
  const double last = axis.in_size - 1.0;
  exact->clear();
  double sum = 0.0;
  if (filter != Filter::kNearest && !axis.is_identity()) {
    const auto first = static_cast<int64_t>(std::clamp(std::floor(center - radius), 0.0, last));
    const auto end = static_cast<int64_t>(std::clamp(std::ceil(center + radius), 0.0, last));
    for (int64_t j = first; j <= end; ++j) {
      exact->push_back(Evaluate(filter, (static_cast<double>(j) + 0.5 - center) / stretch));
      sum += exact->back();
    }
    if (sum > 0.0) return first;
  }
  exact->assign(1, 1.0);
  return static_cast<int64_t>(std::clamp(std::floor(center), 0.0, last));
}

}  // namespace

uint32_t MostTaps(const ResizeAxis& axis, Filter filter) {
  const double radius = Support(filter) * std::max(1.0, axis.scale);
  return std::min<uint32_t>(axis.in_size, static_cast<uint32_t>(std::ceil(radius)) * 2 + 2);
}

uint64_t ResizeWeights::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  const uint64_t most_taps = MostTaps(axis, filter);
  // Vectors grow by doubling, and hold both halves while they do.
  return 3 * axis.out_size * (sizeof(Window) + most_taps * sizeof(int16_t)) + 16 * most_taps;
}

ResizeWeights ResizeWeights::Make(const ResizeAxis& axis, Filter filter) {
  ResizeWeights made;
  made.windows.reserve(axis.out_size);
  std::vector<double> exact;
  std::vector<int16_t> weights;
  for (uint32_t i = 0; i < axis.out_size; ++i) {
    const int64_t first = FindWindow(axis, filter, (i + 0.5) * axis.scale + axis.offset, &exact);
    Round(exact, &weights);
    const auto is_used = [](int16_t weight) { return weight != 0; };
    const auto begin = std::find_if(weights.begin(), weights.end(), is_used);
    const auto end = std::find_if(weights.rbegin(), weights.rend(), is_used).base();
    Window window;
    window.first = static_cast<uint32_t>(first + (begin - weights.begin()));
    window.count = static_cast<uint32_t>(end - begin);
    window.offset = made.weights.size();
    made.weights.insert(made.weights.end(), begin, end);
    made.most_taps = std::max(made.most_taps, window.count);
    made.windows.push_back(window);
  }
  return made;
}

size_t UniformWeights::MostTaps(const ResizeAxis& axis, Filter filter) {
  return RoundUpTo<size_t>(size_t{pixpress::MostTaps(axis, filter)} + 1, 2);
}

uint64_t UniformWeights::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  return ResizeWeights::MemoryBytes(axis, filter) +
         axis.out_size * (sizeof(uint32_t) + MostTaps(axis, filter) * sizeof(int16_t));
}

UniformWeights UniformWeights::Make(const ResizeAxis& axis, Filter filter) {
  const ResizeWeights exact = ResizeWeights::Make(axis, filter);
  UniformWeights made;
  for (const ResizeWeights::Window& window : exact.windows) {
    made.taps = std::max<size_t>(made.taps, window.count + window.first % 2);
  }
  made.taps += made.taps % 2;
  made.firsts.reserve(exact.windows.size());
  made.weights.assign(exact.windows.size() * made.taps, 0);
  const size_t last_first =
      axis.in_size > made.taps ? RoundUpTo<size_t>(axis.in_size - made.taps, 2) : 0;
  for (const ResizeWeights::Window& window : exact.windows) {
    const size_t first = std::min<size_t>(window.first - window.first % 2, last_first);
    std::copy_n(exact.weights.begin() + static_cast<ptrdiff_t>(window.offset), window.count,
                made.weights.begin() +
                    static_cast<ptrdiff_t>(made.firsts.size() * made.taps + window.first - first));
    made.firsts.push_back(static_cast<uint32_t>(first));
  }
  return made;
}

}  // namespace pixpress
