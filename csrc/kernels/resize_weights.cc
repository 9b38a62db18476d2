#include "kernels/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>

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

// Sinc(x) * Sinc(x / 3) at the samples of a window, which are one step apart. Both sines follow
// from that of the single angle, and this one from the sine at the first sample by addition of
// angles.
class LanczosSteps {
 public:
  LanczosSteps(double step, size_t most_count) : step_(step) {
    for (size_t i = 0; i < most_count; ++i) {
      steps_.push_back(static_cast<double>(i) * step);
      sines_.push_back(SinPi(steps_[i] / 3.0));
      cosines_.push_back(SinPi(steps_[i] / 3.0 + 0.5));
    }
  }

  // From `first` on; as many as `values`, at most most_count.
  void Evaluate(double first, std::vector<double>* values) const {
    const size_t count = values->size();
    if (first >= 3.0 || first + static_cast<double>(count) * step_ <= -3.0) {
      return values->assign(count, 0.0);
    }
    const double turn = std::abs(first) / 3.0;
    const double sine = first < 0.0 ? -SinPi(turn) : SinPi(turn), cosine = SinPi(turn + 0.5);
    double* const out = values->data();
    for (size_t i = 0; i < count; ++i) {  // Without branches, for the compiler's vectors.
      const double angle = std::numbers::pi * (first + steps_[i]);
      const double part = sine * cosines_[i] + cosine * sines_[i];
      const double square = part * part;
      out[i] = square * (9.0 - 12.0 * square) / (angle * angle);
    }
    for (size_t i = 0; i < count && first + steps_[i] <= -3.0; ++i) out[i] = 0.0;
    for (size_t i = count; i > 0 && first + steps_[i - 1] >= 3.0; --i) out[i - 1] = 0.0;
    const double center = std::round(-first / step_);
    if (center < 0.0 || center >= static_cast<double>(count)) return;
    const auto i = static_cast<size_t>(center);
    if (std::abs(first + steps_[i]) < 1e-6) out[i] = 1.0;
  }

 private:
  double step_;
  std::vector<double> steps_;
  std::vector<double> sines_;
  std::vector<double> cosines_;
};

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
      return 0.0;  // LanczosSteps.
  }
  return 0.0;
}

// Round to fixed point so that the sum is exact: the difference is spread evenly, so that long
// windows keep their shape and mirrored windows mirrored weights. `exact` add up to `sum`.
void Round(const std::vector<double>& exact, double sum, std::vector<int16_t>* weights) {
  const double scale = (1 << kWeightBits) / sum;
  weights->resize(exact.size());
  int missing = 1 << kWeightBits;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double scaled = exact[i] * scale;
    (*weights)[i] = static_cast<int16_t>(scaled + std::copysign(0.5, scaled));
    missing -= (*weights)[i];
  }
  const int16_t step = missing < 0 ? -1 : 1;
  const size_t changes = static_cast<size_t>(std::abs(missing));
  for (size_t k = 0; k < changes; ++k) {
    int16_t& weight = (*weights)[(2 * k + 1) * weights->size() / (2 * changes)];
    weight = static_cast<int16_t>(weight + step);
  }
}

// Finds windows and their exact weights.
class WindowFinder {
 public:
  WindowFinder(const ResizeAxis& axis, Filter filter)
      : axis_(axis),
        filter_(filter),
        stretch_(std::max(1.0, axis.scale)),
        radius_(Support(filter) * stretch_),
        lanczos_(1.0 / stretch_,
                 filter == Filter::kLanczos ? size_t{MostTaps(axis, filter)} + 2 : 0) {}

  // Does the whole window around `center` lie on the axis?
  bool IsInside(double center) const {
    return std::floor(center - radius_) >= 0.0 && std::ceil(center + radius_) < axis_.in_size;
  }

  // Those around `center`, and their sum; returns the first sample. A window beyond the edge
  // is the edge sample; an axis that changes nothing copies, whatever the filter would blur.
  int64_t Find(double center, std::vector<double>* exact, double* sum) const {
    const double last = axis_.in_size - 1.0;
    if (filter_ != Filter::kNearest && !axis_.is_identity()) {
      const auto first = static_cast<int64_t>(std::clamp(std::floor(center - radius_), 0.0, last));
      const auto end = static_cast<int64_t>(std::clamp(std::ceil(center + radius_), 0.0, last));
      exact->resize(static_cast<size_t>(end - first) + 1);
      Evaluate(first, center, exact);
      *sum = std::accumulate(exact->begin(), exact->end(), 0.0);
      if (*sum > 0.0) return first;
    }
    *sum = 1.0;
    exact->assign(1, 1.0);
    return static_cast<int64_t>(std::clamp(std::floor(center), 0.0, last));
  }

 private:
  // The filter around `center` at sample `first` and those after it.
  void Evaluate(int64_t first, double center, std::vector<double>* values) const {
    const auto at = [&](int64_t sample) {
      return (static_cast<double>(sample) + 0.5 - center) / stretch_;
    };
    if (filter_ == Filter::kLanczos) return lanczos_.Evaluate(at(first), values);
    for (double& value : *values) value = pixpress::Evaluate(filter_, at(first++));
  }

  const ResizeAxis axis_;
  const Filter filter_;
  const double stretch_;
  const double radius_;
  const LanczosSteps lanczos_;
};

// After `windows` windows their weights come again, `samples` samples further on.
struct Period {
  uint32_t windows = 0;  // 0: they do not.
  uint32_t samples = 0;
};

Period PeriodOf(const ResizeAxis& axis) {
  for (uint32_t windows = 1; windows <= axis.out_size / 2; ++windows) {
    const double moved = windows * axis.scale, samples = std::round(moved);
    // A scale is rounded a few times.
    if (std::abs(moved - samples) <= 1e-15 * samples) {
      return {windows, static_cast<uint32_t>(samples)};
    }
  }
  return {};
}

}  // namespace

uint32_t MostTaps(const ResizeAxis& axis, Filter filter) {
  const double radius = Support(filter) * std::max(1.0, axis.scale);
  return std::min<uint32_t>(axis.in_size, static_cast<uint32_t>(std::ceil(radius)) * 2 + 2);
}

uint64_t ResizeWeights::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  const uint64_t most_taps = MostTaps(axis, filter);
  // Vectors grow by doubling, and hold both halves while they do.
  return 3 * axis.out_size * (sizeof(Window) + most_taps * sizeof(int16_t)) +
         8 * sizeof(double) * (most_taps + 2);
}

ResizeWeights ResizeWeights::Make(const ResizeAxis& axis, Filter filter) {
  ResizeWeights made;
  made.windows.reserve(axis.out_size);
  made.weights.reserve(size_t{axis.out_size} * MostTaps(axis, filter));
  const WindowFinder finder(axis, filter);
  std::vector<double> exact;
  std::vector<int16_t> weights;
  const Period period = PeriodOf(axis);
  uint32_t first_inside = axis.out_size;
  for (uint32_t i = 0; i < axis.out_size; ++i) {
    const double center = (i + 0.5) * axis.scale + axis.offset;
    if (period.windows > 0 && finder.IsInside(center)) {
      first_inside = std::min(first_inside, i);
      if (i >= first_inside + period.windows) {
        made.windows.push_back(made.windows[i - period.windows]);
        made.windows.back().first += period.samples;
        continue;
      }
    }
    double sum = 0.0;
    const int64_t first = finder.Find(center, &exact, &sum);
    Round(exact, sum, &weights);
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
  return RoundUpTo<size_t>(size_t{pixpress::MostTaps(axis, filter)} + 2, 2);
}

uint64_t UniformWeights::MemoryBytes(const ResizeAxis& axis, Filter filter) {
  return ResizeWeights::MemoryBytes(axis, filter) +
         axis.out_size * (sizeof(uint32_t) + MostTaps(axis, filter) * sizeof(int16_t));
}

UniformWeights UniformWeights::Make(const ResizeAxis& axis, Filter filter) {
  const ResizeWeights exact = ResizeWeights::Make(axis, filter);
  UniformWeights made;
  made.firsts.resize(exact.windows.size());
  uint32_t next = axis.in_size;
  for (size_t i = exact.windows.size(); i-- > 0;) {
    const ResizeWeights::Window& window = exact.windows[i];
    next = std::min(next, window.first - window.first % 2);
    made.firsts[i] = next;
    made.taps = std::max<size_t>(made.taps, window.first + window.count - next);
  }
  made.taps += made.taps % 2;
  made.weights.assign(exact.windows.size() * made.taps, 0);
  const size_t last_first =
      axis.in_size > made.taps ? RoundUpTo<size_t>(axis.in_size - made.taps, 2) : 0;
  auto weights = made.weights.begin();
  for (size_t i = 0; i < exact.windows.size(); ++i, weights += static_cast<ptrdiff_t>(made.taps)) {
    const ResizeWeights::Window& window = exact.windows[i];
    made.firsts[i] = std::min(made.firsts[i], static_cast<uint32_t>(last_first));
    std::copy_n(exact.weights.begin() + static_cast<ptrdiff_t>(window.offset), window.count,
                weights + static_cast<ptrdiff_t>(window.first - made.firsts[i]));
  }
  return made;
}

}  // namespace pixpress
