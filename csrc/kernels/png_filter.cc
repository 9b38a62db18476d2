#include "kernels/png_filter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/png_filter.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D8 = hn::ScalableTag<uint8_t>;
using V8 = hn::Vec<D8>;

// What a filter takes away, from the bytes to the left, above, and left above.
struct Sub {
  static V8 Predict(V8 left, V8, V8) { return left; }
  static int Predict(int left, int, int) { return left; }
};

struct Up {
  static V8 Predict(V8, V8 up, V8) { return up; }
  static int Predict(int, int up, int) { return up; }
};

struct Average {
  static V8 Predict(V8 left, V8 up, V8) {
    // AverageRound rounds up; PNG rounds down.
    const auto odd = hn::And(hn::Xor(left, up), hn::Set(D8(), 1));
    return hn::Sub(hn::AverageRound(left, up), odd);
  }
  static int Predict(int left, int up, int) { return (left + up) / 2; }
};

struct Paeth {
  static hn::Mask<D8> IsAtMost(V8 a, V8 b) { return hn::Eq(hn::Min(a, b), a); }
  static V8 Distance(V8 a, V8 b) { return hn::Or(hn::SaturatedSub(a, b), hn::SaturatedSub(b, a)); }
  // In 8 bits: the guess is as far from the corner as both steps together if they have one sign
  // (saturation keeps it the farthest), else as their difference.
  static V8 Predict(V8 left, V8 up, V8 corner) {
    const V8 from_left = Distance(up, corner);
    const V8 from_up = Distance(left, corner);
    const auto differ = hn::Xor(IsAtMost(corner, up), IsAtMost(corner, left));
    const V8 from_corner =
        hn::IfThenElse(differ, Distance(from_left, from_up), hn::SaturatedAdd(from_left, from_up));
    const V8 other = hn::IfThenElse(IsAtMost(from_up, from_corner), up, corner);
    const auto is_left = hn::And(IsAtMost(from_left, from_up), IsAtMost(from_left, from_corner));
    return hn::IfThenElse(is_left, left, other);
  }
  static int Predict(int left, int up, int corner) {
    const int from_left = std::abs(up - corner);
    const int from_up = std::abs(left - corner);
    const int from_corner = std::abs(left + up - 2 * corner);
    if (from_left <= from_up && from_left <= from_corner) return left;
    return from_up <= from_corner ? up : corner;
  }
};

template <class Filter>
void FilterWith(const uint8_t* row, const uint8_t* up, size_t bytes, size_t step, uint8_t* out) {
  const D8 d;
  const auto filter_vector = [&](size_t i) {
    const V8 predicted = Filter::Predict(hn::LoadU(d, row + i - step), hn::LoadU(d, up + i),
                                         hn::LoadU(d, up + i - step));
    hn::StoreU(hn::Sub(hn::LoadU(d, row + i), predicted), d, out + i);
  };
  const size_t lanes = hn::Lanes(d);
  if (bytes >= lanes) {
    for (size_t i = 0; i + lanes < bytes; i += lanes) filter_vector(i);
    // The last vector repeats some of the one before.
    return filter_vector(bytes - lanes);
  }
  const uint8_t* const left = row - step;
  const uint8_t* const corner = up - step;
  for (size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<uint8_t>(row[i] - Filter::Predict(left[i], up[i], corner[i]));
  }
}

void FilterRow(PngRowFilter filter, const uint8_t* row, const uint8_t* up, size_t bytes,
               size_t step, uint8_t* out) {
  switch (filter) {
    case PngRowFilter::kNone:
      std::memcpy(out, row, bytes);
      return;
    case PngRowFilter::kSub:
      return FilterWith<Sub>(row, up, bytes, step, out);
    case PngRowFilter::kUp:
      return FilterWith<Up>(row, up, bytes, step, out);
    case PngRowFilter::kAverage:
      return FilterWith<Average>(row, up, bytes, step, out);
    case PngRowFilter::kPaeth:
      return FilterWith<Paeth>(row, up, bytes, step, out);
  }
}

uint64_t Magnitudes(const uint8_t* row, size_t bytes) {
  const D8 d;
  const hn::RebindToSigned<D8> signed8;
  const hn::Repartition<uint64_t, D8> d64;
  auto sums = hn::Zero(d64);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= bytes; i += hn::Lanes(d)) {
    const auto values = hn::BitCast(signed8, hn::LoadU(d, row + i));
    // |-128| stays 128 in unsigned bytes.
    sums = hn::Add(sums, hn::SumsOf8(hn::BitCast(d, hn::Abs(values))));
  }
  uint64_t sum = hn::GetLane(hn::SumOfLanes(d64, sums));
  for (; i < bytes; ++i) sum += static_cast<uint64_t>(std::abs(static_cast<int8_t>(row[i])));
  return sum;
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(FilterRow);
HWY_EXPORT(Magnitudes);

// log2(value) in 1/256, rounded down: one bit more for each squaring that carries.
constexpr uint32_t Log2Fixed(uint32_t value) {
  uint32_t log = static_cast<uint32_t>(std::bit_width(value)) - 1;
  uint64_t mantissa = (uint64_t{value} << 31) >> log;  // 1 to 2 with 31 bits after the point.
  for (int bit = 0; bit < 8; ++bit) {
    mantissa = mantissa * mantissa >> 31;
    log <<= 1;
    if (mantissa >> 32 == 0) continue;
    mantissa >>= 1;
    log |= 1;
  }
  return log;
}

// value * Log2Fixed(value) of small values.
constexpr auto kWeighted = [] {
  std::array<uint32_t, 256> weighted = {};
  for (uint32_t n = 1; n < weighted.size(); ++n) weighted[n] = n * Log2Fixed(n);
  return weighted;
}();

}  // namespace

void FilterPngRow(PngRowFilter filter, const uint8_t* row, const uint8_t* up, size_t bytes,
                  size_t pixel_bytes, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(FilterRow)(filter, row, up, bytes, pixel_bytes, out);
}

uint64_t SumOfMagnitudes(const uint8_t* row, size_t bytes) {
  return HWY_DYNAMIC_DISPATCH(Magnitudes)(row, bytes);
}

uint32_t PngRowCost::DistinctBigrams(const uint8_t* row, size_t bytes) {
  uint32_t distinct = 0;
  for (size_t i = 0; i + 1 < bytes; ++i) {
    const uint32_t pair = row[i] << 8 | row[i + 1];
    uint64_t& word = seen_[pair / 64];
    const uint64_t bit = uint64_t{1} << pair % 64;
    distinct += (word & bit) == 0 ? 1 : 0;
    word |= bit;
  }
  std::fill(seen_.begin(), seen_.end(), 0);
  return distinct;
}

uint64_t PngRowCost::BigramEntropy(const uint8_t* row, size_t bytes) {
  if (bytes < 2) return 0;
  pairs_.resize(65536);
  for (size_t i = 0; i + 1 < bytes; ++i) ++pairs_[static_cast<size_t>(row[i] << 8 | row[i + 1])];
  uint64_t bits = (bytes - 1) * Log2Fixed(static_cast<uint32_t>(bytes - 1));
  for (size_t i = 0; i + 1 < bytes; ++i) {
    uint32_t& n = pairs_[static_cast<size_t>(row[i] << 8 | row[i + 1])];
    bits -= n < kWeighted.size() ? kWeighted[n] : uint64_t{n} * Log2Fixed(n);
    n = 0;
  }
  return bits;
}

uint64_t PngRowCost::Entropy(const uint8_t* row, size_t bytes) {
  if (bytes == 0) return 0;
  // Four tables, so that runs of one value do not wait for themselves.
  std::array<std::array<uint32_t, 256>, 4> counts = {};
  size_t i = 0;
  for (; i + 4 <= bytes; i += 4) {
    for (size_t k = 0; k < 4; ++k) ++counts[k][row[i + k]];
  }
  for (; i < bytes; ++i) ++counts[0][row[i]];
  uint64_t bits = bytes * Log2Fixed(static_cast<uint32_t>(bytes));
  for (size_t value = 0; value < 256; ++value) {
    const uint32_t n = counts[0][value] + counts[1][value] + counts[2][value] + counts[3][value];
    if (n > 0) bits -= uint64_t{n} * Log2Fixed(n);
  }
  return bits;
}

}  // namespace pixpress
#endif  // HWY_ONCE
