#include "kernels/fold_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fold_blocks.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A row of eight columns is one vector, or two where they are shorter.
constexpr size_t kLanes = HWY_HAVE_SCALABLE ? 4 : hn::MaxLanes(hn::CappedTag<int32_t, 8>());
constexpr size_t kParts = 8 / kLanes;
using D32 = hn::FixedTag<int32_t, kLanes>;
using V32 = hn::Vec<D32>;

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

constexpr int32_t kMostDequantized = 1 << 14;
constexpr int32_t kMostQuantized = 1023;

// Lines side by side, each in a lane.
HWY_INLINE void FoldLines(const V32* first, const V32* second, V32* to) {
  V32 odd[4];
  for (int j = 0; j < 4; ++j) {
    const V32 other = j % 2 == 0 ? second[j] : hn::Neg(second[j]);
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

// The mirror images of lines.
HWY_INLINE void Mirror(const V32* first, V32* second) {
  for (int j = 0; j < 4; ++j) second[j] = j % 2 == 0 ? first[j] : hn::Neg(first[j]);
}

// Rows of eight columns: four from `left` and four from `right` on.
struct Columns {
  const int16_t* left;
  const int16_t* right;
  bool is_folded;  // Both are the first ones of their blocks.
};

// A function of `D` so that only one way is compiled.
template <class D>
HWY_INLINE V32 DequantizeRow(D d, const Columns& from, const int32_t* steps, size_t at,
                             size_t part) {
  constexpr int32_t kUnit = 1 << kFoldUnitBits;
  const hn::FixedTag<int16_t, 4> four;
  V32 own, step;
  if constexpr (kLanes == 8) {
    const hn::FixedTag<int16_t, 8> eight;
    own = hn::PromoteTo(
        d, hn::Combine(eight, hn::LoadU(four, from.right + at), hn::LoadU(four, from.left + at)));
    step = from.is_folded ? hn::LoadDup128(d, steps + at) : hn::LoadU(d, steps + at);
  } else {
    own = hn::PromoteTo(d, hn::LoadU(four, (part == 0 ? from.left : from.right) + at));
    step = hn::LoadU(d, steps + at + (part == 0 || from.is_folded ? 0 : 4));
  }
  const auto most = hn::Set(d, kMostDequantized);
  const V32 value = hn::Min(hn::Max(hn::Mul(own, step), hn::Neg(most)), most);
  return hn::Mul(value, hn::Set(d, kUnit));
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

// Rows of four columns on the left and four on the right. Vectors are transposed by four lanes.
template <class D>
HWY_INLINE void FoldAcross(D d, bool has_right, V32 (*rows)[8]) {
  V32 first[4], second[4], columns[8];
  const auto fold = [&] {
    if (!has_right) Mirror(first, second);
    FoldLines(first, second, columns);
    TransposeFour(columns);
    TransposeFour(columns + 4);
  };
  if constexpr (kLanes == 8) {
    V32* const row = rows[0];
    TransposeFour(row);
    TransposeFour(row + 4);
    for (size_t i = 0; i < 4; ++i) {
      first[i] = hn::ConcatLowerLower(d, row[i + 4], row[i]);
      second[i] = hn::ConcatUpperUpper(d, row[i + 4], row[i]);
    }
    fold();
    for (size_t i = 0; i < 4; ++i) {
      row[i] = hn::ConcatLowerLower(d, columns[i + 4], columns[i]);
      row[i + 4] = hn::ConcatUpperUpper(d, columns[i + 4], columns[i]);
    }
  } else {
    for (size_t y = 0; y < 8; y += 4) {
      TransposeFour(rows[0] + y);
      TransposeFour(rows[1] + y);
      for (size_t i = 0; i < 4; ++i) {
        first[i] = rows[0][y + i];
        second[i] = rows[1][y + i];
      }
      fold();
      for (size_t i = 0; i < 4; ++i) {
        rows[0][y + i] = columns[i];
        rows[1][y + i] = columns[i + 4];
      }
    }
  }
}

// Rounds quotients of numbers below 2^19; ties go to zero. Less a half, a number is nowhere near a
// tie, so that rounding reciprocals and products does no harm. Adding 2^23 leaves an integer in the
// lowest bits.
HWY_INLINE V32 Quantize(V32 value, const float* reciprocals) {
  const hn::RebindToFloat<D32> floats;
  const auto magnitude = hn::Sub(hn::ConvertTo(floats, hn::Abs(value)), hn::Set(floats, 0.5f));
  const auto quotient = hn::Mul(magnitude, hn::LoadU(floats, reciprocals));
  const auto above = hn::Set(floats, float{1 << 23});
  const V32 rounded =
      hn::Sub(hn::BitCast(D32(), hn::Add(quotient, above)), hn::BitCast(D32(), above));
  const V32 level = hn::Min(rounded, hn::Set(D32(), kMostQuantized));
  const V32 sign = hn::BroadcastSignBit(value);
  return hn::Sub(hn::Xor(level, sign), sign);
}

void Fold(const BlockSquare& from, bool folds_h, bool folds_v, const FoldFactors& factors,
          int16_t* to) {
  const bool has_right = from.upper_right != nullptr, has_lower = from.lower_left != nullptr;
  const auto columns = [&](const int16_t* left, const int16_t* right) {
    return Columns{left, folds_h ? (has_right ? right : left) : left + 4, folds_h};
  };
  const Columns upper = columns(from.upper_left, from.upper_right);
  const Columns lower = columns(from.lower_left, from.lower_right);
  V32 rows[kParts][8];
  for (size_t part = 0; part < kParts; ++part) {
    const auto dequantize = [&](const Columns& own, size_t count, V32* out) {
      for (size_t y = 0; y < count; ++y) {
        out[y] = DequantizeRow(D32(), own, factors.steps.data(), y * 8, part);
      }
    };
    if (folds_v) {
      V32 first[4], second[4];
      dequantize(upper, 4, first);
      if (has_lower) dequantize(lower, 4, second);
      if (!has_lower) Mirror(first, second);
      FoldLines(first, second, rows[part]);
    } else {
      dequantize(upper, 8, rows[part]);
    }
  }
  if (folds_h) FoldAcross(D32(), has_right, rows);
  const hn::FixedTag<int16_t, kLanes> d16;
  for (size_t i = 0; i < 64; i += kLanes) {
    const V32 own = rows[i % 8 / kLanes][i / 8];
    const V32 made = Quantize(own, factors.reciprocals.data() + i);
    hn::StoreU(hn::DemoteTo(d16, made), d16, to + i);
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

FoldFactors MakeFoldFactors(const FoldSteps& steps) {
  FoldFactors factors;
  factors.steps = steps.source;
  for (size_t i = 0; i < 64; ++i) {
    factors.reciprocals[i] = 1 / static_cast<float>(steps.target[i] << kFoldUnitBits);
  }
  return factors;
}

void FoldBlocks(const BlockSquare& from, bool folds_h, bool folds_v, const FoldFactors& factors,
                int16_t* to) {
  HWY_DYNAMIC_DISPATCH(Fold)(from, folds_h, folds_v, factors, to);
}

}  // namespace pixpress
#endif  // HWY_ONCE
