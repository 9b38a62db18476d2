#include "kernels/ssimulacra2_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ssimulacra2_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
constexpr size_t kLanes = 16;  // Of sums, on every target.
using D = hn::CappedTag<float, kLanes>;
using V = hn::Vec<D>;

HWY_INLINE V Set(float value) { return hn::Set(D(), value); }

// No operation here may be a fused one: -ffp-contract=off, and no MulAdd.
HWY_INLINE V CubeRoot(V x) {
  const hn::RebindToSigned<D> di;
  const auto third = hn::Mul(hn::ConvertTo(D(), hn::BitCast(di, x)), Set(1.0f / 3));
  const auto bits = hn::Add(hn::ConvertTo(di, third), hn::Set(di, 709921077));
  V y = hn::BitCast(D(), bits);  // Off by 4 % at most; each of Halley's steps cubes that.
  for (int step = 0; step < 2; ++step) {
    const V cube = hn::Mul(hn::Mul(y, y), y);
    const V twice = hn::Add(x, x);
    y = hn::Div(hn::Mul(y, hn::Add(cube, twice)), hn::Add(hn::Add(cube, cube), x));
  }
  return y;
}

HWY_INLINE V Absorbed(const V* rgb, float r, float g, float b) {
  constexpr float kBias = 0.0037930732552754493f;
  const V sum = hn::Add(hn::Mul(rgb[0], Set(r)), hn::Mul(rgb[1], Set(g)));
  return CubeRoot(hn::Add(hn::Add(sum, hn::Mul(rgb[2], Set(b))), Set(kBias)));
}

void ClearMargin(float* row, size_t width) { std::fill_n(row + width, kScoreMargin, 0.0f); }

void ToXyb(const float* const* linear, size_t width, float* const* xyb) {
  constexpr float kRootOfBias = 0.15595420054924863f;
  for (size_t x = 0; x < width; x += hn::Lanes(D())) {
    V rgb[3];
    for (int c = 0; c < 3; ++c) rgb[c] = hn::LoadU(D(), linear[c] + x);
    const V l = Absorbed(rgb, 0.3f, 0.622f, 0.078f);
    const V m = Absorbed(rgb, 0.23f, 0.692f, 0.078f);
    const V s = Absorbed(rgb, 0.24342268924547819f, 0.20476744424496821f, 0.55180986650955360f);
    const V half = hn::Mul(hn::Add(l, m), Set(0.5f));
    hn::StoreU(hn::Add(hn::Mul(hn::Sub(l, m), Set(7.0f)), Set(0.42f)), D(), xyb[0] + x);
    hn::StoreU(hn::Add(half, Set(0.01f - kRootOfBias)), D(), xyb[1] + x);
    hn::StoreU(hn::Add(hn::Sub(s, half), Set(0.55f)), D(), xyb[2] + x);
  }
  for (int c = 0; c < 3; ++c) ClearMargin(xyb[c], width);
}

void Halve(const float* upper, const float* lower, size_t width, float* out) {
  const size_t pairs = width / 2;
  const auto mean = [&](size_t even, size_t odd) {
    return ((upper[even] + lower[even]) + (upper[odd] + lower[odd])) * 0.25f;
  };
  size_t x = 0;
  for (; x + hn::Lanes(D()) <= pairs; x += hn::Lanes(D())) {
    V a0, a1, b0, b1;
    hn::LoadInterleaved2(D(), upper + 2 * x, a0, a1);
    hn::LoadInterleaved2(D(), lower + 2 * x, b0, b1);
    const V sum = hn::Add(hn::Add(a0, b0), hn::Add(a1, b1));
    hn::StoreU(hn::Mul(sum, Set(0.25f)), D(), out + x);
  }
  for (; x < pairs; ++x) out[x] = mean(2 * x, 2 * x + 1);
  if (width % 2 != 0) out[pairs] = mean(width - 1, width - 1);
}

void Squares(const float* a, const float* b, size_t width, float* squares, float* errors) {
  for (size_t x = 0; x < width; x += hn::Lanes(D())) {
    const V va = hn::LoadU(D(), a + x), vb = hn::LoadU(D(), b + x);
    const V difference = hn::Sub(va, vb);
    hn::StoreU(hn::Add(hn::Mul(va, va), hn::Mul(vb, vb)), D(), squares + x);
    hn::StoreU(hn::Mul(difference, difference), D(), errors + x);
  }
  ClearMargin(squares, width);
  ClearMargin(errors, width);
}

// A Gaussian of sigma 1.5, cut off after five samples, that sums to 1.
constexpr float kGaussian[kScoreReach + 1] = {0.2660117248617943f,   0.21300553771125366f,
                                              0.1093606895097f,      0.03600077212843082f,
                                              0.007598758135239184f, 0.0010283800844791099f};
constexpr size_t kBlock = 256;  // Columns at a time; what is between the passes stays in L1.
constexpr size_t kBlurred = kBlock + 2 * kLanes;

// Blur columns: samples `first` to `first` + `count`, a multiple of the lanes.
HWY_INLINE void BlurColumns(const std::array<const float*, kScoreWindow>& rows, ptrdiff_t first,
                            size_t count, float* out) {
  for (size_t i = 0; i < count; i += hn::Lanes(D())) {
    const ptrdiff_t x = first + static_cast<ptrdiff_t>(i);
    V sum = hn::Mul(hn::LoadU(D(), rows[kScoreReach] + x), Set(kGaussian[0]));
    for (size_t k = 1; k <= kScoreReach; ++k) {
      const V pair = hn::Add(hn::LoadU(D(), rows[kScoreReach - k] + x),
                             hn::LoadU(D(), rows[kScoreReach + k] + x));
      sum = hn::Add(sum, hn::Mul(pair, Set(kGaussian[k])));
    }
    hn::Store(sum, D(), out + i);
  }
}

HWY_INLINE V BlurAlong(const float* center) {
  V sum = hn::Mul(hn::LoadU(D(), center), Set(kGaussian[0]));
  for (size_t k = 1; k <= kScoreReach; ++k) {
    const V pair = hn::Add(hn::LoadU(D(), center - k), hn::LoadU(D(), center + k));
    sum = hn::Add(sum, hn::Mul(pair, Set(kGaussian[k])));
  }
  return sum;
}

struct Sums {
  alignas(64) float lanes[kScoreSums][kLanes] = {};

  HWY_INLINE void Add(size_t which, size_t lane, V value) {
    float* to = lanes[which] + lane;
    hn::Store(hn::Add(hn::Load(D(), to), value), D(), to);
  }
  HWY_INLINE void AddNorms(size_t which, size_t lane, V value) {
    const V square = hn::Mul(value, value);
    Add(which, lane, value);
    Add(which + 1, lane, hn::Mul(square, square));
  }
};

struct Blurs {
  alignas(64) float reference[kBlurred], distorted[kBlurred], squares[kBlurred], errors[kBlurred];
};

// One vector of a row, column `x`, which is `i` in the blurs. `is_inside` masks what is behind it.
template <class M>
HWY_INLINE void AddErrors(const WindowRows& rows, const Blurs& blurs, size_t x, size_t i,
                          M is_inside, Sums* sums) {
  const V one = Set(1.0f), zero = hn::Zero(D());
  const V mean_a = BlurAlong(blurs.reference + i), mean_b = BlurAlong(blurs.distorted + i);
  const V shift = hn::Sub(mean_a, mean_b);
  const V shift_squared = hn::Mul(shift, shift);
  // The variances, and how much larger they are than twice the covariance.
  const V mean_squares = hn::Add(hn::Mul(mean_a, mean_a), hn::Mul(mean_b, mean_b));
  const V variance = hn::Add(hn::Sub(BlurAlong(blurs.squares + i), mean_squares), Set(0.0009f));
  const V excess = hn::Sub(BlurAlong(blurs.errors + i), shift_squared);
  const V same = hn::Div(hn::Mul(hn::Sub(one, shift_squared), hn::Sub(variance, excess)), variance);
  const V unlike = hn::Max(hn::Sub(one, same), zero);

  const V edge_a = hn::Abs(hn::Sub(hn::LoadU(D(), rows.reference[kScoreReach] + x), mean_a));
  const V edge_b = hn::Abs(hn::Sub(hn::LoadU(D(), rows.distorted[kScoreReach] + x), mean_b));
  const V ratio = hn::Sub(hn::Div(hn::Add(one, edge_b), hn::Add(one, edge_a)), one);

  const size_t lane = x % kLanes;
  sums->AddNorms(0, lane, hn::IfThenElseZero(is_inside, unlike));
  sums->AddNorms(2, lane, hn::IfThenElseZero(is_inside, hn::Max(ratio, zero)));
  sums->AddNorms(4, lane, hn::IfThenElseZero(is_inside, hn::Max(hn::Neg(ratio), zero)));
}

void AddRow(const WindowRows& rows, size_t width, double* totals) {
  Sums sums;
  Blurs blurs;
  for (size_t start = 0; start < width; start += kBlock) {
    const size_t columns = std::min(kBlock, width - start);
    const size_t count = (columns + kLanes - 1) / kLanes * kLanes + 2 * kLanes;
    const ptrdiff_t first = static_cast<ptrdiff_t>(start) - static_cast<ptrdiff_t>(kLanes);
    BlurColumns(rows.reference, first, count, blurs.reference);
    BlurColumns(rows.distorted, first, count, blurs.distorted);
    BlurColumns(rows.squares, first, count, blurs.squares);
    BlurColumns(rows.errors, first, count, blurs.errors);
    for (size_t i = 0; i < columns; i += hn::Lanes(D())) {
      AddErrors(rows, blurs, start + i, kLanes + i, hn::FirstN(D(), columns - i), &sums);
    }
  }
  for (size_t s = 0; s < kScoreSums; ++s) {
    for (size_t lane = 0; lane < kLanes; ++lane) totals[s] += sums.lanes[s][lane];
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(ToXyb);
HWY_EXPORT(Halve);
HWY_EXPORT(Squares);
HWY_EXPORT(AddRow);

}  // namespace

void LinearToXybRow(const std::array<const float*, 3>& linear, size_t width,
                    const std::array<float*, 3>& xyb) {
  HWY_DYNAMIC_DISPATCH(ToXyb)(linear.data(), width, xyb.data());
}

void HalveRow(const float* upper, const float* lower, size_t width, float* out) {
  HWY_DYNAMIC_DISPATCH(Halve)(upper, lower, width, out);
}

void SquaresRow(const float* a, const float* b, size_t width, float* squares, float* errors) {
  HWY_DYNAMIC_DISPATCH(Squares)(a, b, width, squares, errors);
}

void AddErrorsOfRow(const WindowRows& rows, size_t width, std::array<double, kScoreSums>* sums) {
  HWY_DYNAMIC_DISPATCH(AddRow)(rows, width, sums->data());
}

}  // namespace pixpress
#endif  // HWY_ONCE
