#include "kernels/fold_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fold_blocks.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>

#include "kernels/dct_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

// From the lower half of the frequencies of two neighboring blocks to all of one of half the size:
// the inverse DCT of 4 frequencies is the block at half its resolution, and the DCT of 8 samples,
// 4 of each block, is the result. In 1/4096, for odd frequencies of the result; even ones are half
// of the sums of one frequency. The second block's factors are the same ones with the sign of
// (-1)^(i + j).
constexpr int kFoldBits = 12;
constexpr int32_t kOddFactors[4][4] = {{1856, 851, -153, 47},
                                       {-652, 1620, 1051, -200},
                                       {435, -722, 1573, 1004},
                                       {-369, 569, -769, 1773}};

// Coefficients are held in 1/8 so that two roundings do no harm.
constexpr int kUnitBits = 3;
constexpr int32_t kMostDequantized = 1 << 14;
constexpr int32_t kMostQuantized = 1023;

// Four lines at a time. Without `second` the first one's mirror image is there.
HWY_INLINE void FoldLines(const V32* first, const V32* second, V32* to) {
  V32 odd[4];
  for (int j = 0; j < 4; ++j) {
    V32 other = first[j];
    if (second != nullptr) other = j % 2 == 0 ? second[j] : hn::Neg(second[j]);
    const V32 even = hn::Add(first[j], other);
    to[2 * j] = hn::ShiftRight<1>(hn::Add(even, hn::Set(D32(), 1)));
    odd[j] = hn::Sub(first[j], other);
  }
  for (int i = 0; i < 4; ++i) {
    V32 sum = hn::Set(D32(), 1 << (kFoldBits - 1));
    for (int j = 0; j < 4; ++j) {
      sum = hn::Add(sum, hn::Mul(odd[j], hn::Set(D32(), kOddFactors[i][j])));
    }
    to[2 * i + 1] = hn::ShiftRight<kFoldBits>(sum);
  }
}

// Four columns from `column` on.
HWY_INLINE void Dequantize(const int16_t* block, const FoldSteps& steps, size_t column, int rows,
                           V32* to) {
  const auto most = hn::Set(D32(), kMostDequantized);
  for (int y = 0; y < rows; ++y) {
    const size_t at = static_cast<size_t>(y) * 8 + column;
    const auto own = hn::PromoteTo(D32(), hn::LoadU(hn::FixedTag<int16_t, 4>(), block + at));
    const V32 value = hn::Mul(own, hn::LoadU(D32(), steps.source.data() + at));
    to[y] = hn::ShiftLeft<kUnitBits>(hn::Min(hn::Max(value, hn::Neg(most)), most));
  }
}

// The eight rows of four columns, folded down if wanted.
HWY_INLINE void LoadColumns(const int16_t* upper, const int16_t* lower, bool folds_v,
                            const FoldSteps& steps, size_t column, V32* to) {
  if (!folds_v) {
    Dequantize(upper, steps, column, 8, to);
    return;
  }
  V32 first[4], second[4];
  Dequantize(upper, steps, column, 4, first);
  if (lower != nullptr) Dequantize(lower, steps, column, 4, second);
  FoldLines(first, lower != nullptr ? second : nullptr, to);
}

HWY_INLINE void TransposeFour(V32* rows) {
  const V32 a = hn::InterleaveLower(D32(), rows[0], rows[2]);
  const V32 b = hn::InterleaveUpper(D32(), rows[0], rows[2]);
  const V32 c = hn::InterleaveLower(D32(), rows[1], rows[3]);
  const V32 d = hn::InterleaveUpper(D32(), rows[1], rows[3]);
  rows[0] = hn::InterleaveLower(D32(), a, c);
  rows[1] = hn::InterleaveUpper(D32(), a, c);
  rows[2] = hn::InterleaveLower(D32(), b, d);
  rows[3] = hn::InterleaveUpper(D32(), b, d);
}

// Quotients of integers below 2^24 are never rounded up to the next integer.
HWY_INLINE V32 Quantize(V32 value, V32 steps) {
  const V32 half = hn::ShiftLeft<kUnitBits - 1>(steps);
  const V32 magnitude = hn::Sub(hn::Add(hn::Abs(value), half), hn::Set(D32(), 1));
  const hn::FixedTag<float, 4> floats;
  const auto quotient = hn::Div(hn::ConvertTo(floats, magnitude),
                                hn::ConvertTo(floats, hn::ShiftLeft<kUnitBits>(steps)));
  const V32 level = hn::Min(hn::ConvertTo(D32(), quotient), hn::Set(D32(), kMostQuantized));
  const V32 sign = hn::BroadcastSignBit(value);
  return hn::Sub(hn::Xor(level, sign), sign);
}

void Fold(const BlockSquare& from, bool folds_h, bool folds_v, const FoldSteps& steps,
          int16_t* to) {
  V32 halves[2][8];  // The left four columns of each row, and the right ones.
  if (folds_h) {
    V32 left[8], right[8], columns[8];
    LoadColumns(from.upper_left, from.lower_left, folds_v, steps, 0, left);
    const bool has_right = from.upper_right != nullptr;
    if (has_right) LoadColumns(from.upper_right, from.lower_right, folds_v, steps, 0, right);
    for (size_t y = 0; y < 8; y += 4) {
      TransposeFour(left + y);
      if (has_right) TransposeFour(right + y);
      FoldLines(left + y, has_right ? right + y : nullptr, columns);
      for (size_t half = 0; half < 2; ++half) {
        TransposeFour(columns + 4 * half);
        for (size_t i = 0; i < 4; ++i) halves[half][y + i] = columns[4 * half + i];
      }
    }
  } else {
    for (size_t half = 0; half < 2; ++half) {
      LoadColumns(from.upper_left, from.lower_left, true, steps, half * 4, halves[half]);
    }
  }
  for (size_t y = 0; y < 8; ++y) {
    const int32_t* const targets = steps.target.data() + y * 8;
    const V32 low = Quantize(halves[0][y], hn::LoadU(D32(), targets));
    const V32 high = Quantize(halves[1][y], hn::LoadU(D32(), targets + 4));
    hn::StoreU(hn::ReorderDemote2To(D16(), low, high), D16(), to + y * 8);
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(Fold);

}  // namespace

void FoldBlocks(const BlockSquare& from, bool folds_h, bool folds_v, const FoldSteps& steps,
                int16_t* to) {
  HWY_DYNAMIC_DISPATCH(Fold)(from, folds_h, folds_v, steps, to);
}

}  // namespace pixpress
#endif  // HWY_ONCE
