#include "codecs/jpeg_fold.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

using Coefficients = std::array<int32_t, 64>;

// From the lower half of the frequencies of two neighboring blocks to all of one of half the size:
// the inverse DCT of 4 frequencies is the block at half its resolution, and the DCT of 8 samples,
// 4 of each block, is the result. In 1/4096; the second block's factors are the same ones with the
// sign of (-1)^(i + j).
constexpr int kShift = 12;
constexpr int32_t kFactors[8][4] = {
    {2048, 0, 0, 0}, {1856, 851, -153, 47},   {0, 2048, 0, 0}, {-652, 1620, 1051, -200},
    {0, 0, 2048, 0}, {435, -722, 1573, 1004}, {0, 0, 0, 2048}, {-369, 569, -769, 1773}};

// Coefficients are held in 1/8 so that two roundings do no harm.
constexpr int32_t kUnit = 8;
constexpr int32_t kMostDequantized = 1 << 14;
constexpr int32_t kMostQuantized = 1023;

// `step` is the distance of frequencies in the direction of folding, `other` in the other one.
template <size_t step, size_t other>
void FoldPair(const Coefficients& first, const Coefficients* second, Coefficients* to) {
  for (size_t line = 0; line < 8; ++line) {
    int32_t even[4], odd[4];
    int32_t any = 0;
    for (size_t j = 0; j < 4; ++j) {
      const int32_t a = first[j * step + line * other];
      const int32_t sign = j % 2 == 0 ? 1 : -1;
      // Without a second block the first one's mirror image is there.
      const int32_t b = second == nullptr ? a : sign * (*second)[j * step + line * other];
      even[j] = a + b;
      odd[j] = a - b;
      any |= a | b;
    }
    if (any == 0) {
      for (size_t i = 0; i < 8; ++i) (*to)[i * step + line * other] = 0;
      continue;
    }
    for (size_t i = 0; i < 8; ++i) {
      const int32_t* const sums = i % 2 == 0 ? even : odd;
      int32_t sum = 1 << (kShift - 1);
      for (size_t j = 0; j < 4; ++j) sum += kFactors[i][j] * sums[j];
      (*to)[i * step + line * other] = sum >> kShift;
    }
  }
}

void Dequantize(const int16_t* block, const std::array<int32_t, 64>& steps, Coefficients* to) {
  for (size_t i = 0; i < 64; ++i) {
    (*to)[i] = std::clamp(block[i] * steps[i], -kMostDequantized, kMostDequantized) * kUnit;
  }
}

}  // namespace

JpegBlockFold::JpegBlockFold(const JpegQuantTable& source, const JpegQuantTable& target) {
  for (size_t k = 0; k < 64; ++k) {
    source_[kJpegNaturalOrder[k]] = source[k];
    target_[kJpegNaturalOrder[k]] = target[k];
  }
}

void JpegBlockFold::Fold(const Square& from, bool folds_h, bool folds_v, int16_t* to) const {
  Coefficients left, right, other, made;
  Dequantize(from.upper_left, source_, &left);
  const auto fold_down = [&](const int16_t* lower, Coefficients* half) {
    if (!folds_v) return;
    if (lower != nullptr) Dequantize(lower, source_, &other);
    FoldPair<8, 1>(*half, lower != nullptr ? &other : nullptr, &made);
    *half = made;
  };
  fold_down(from.lower_left, &left);
  if (folds_h) {
    if (from.upper_right != nullptr) {
      Dequantize(from.upper_right, source_, &right);
      fold_down(from.lower_right, &right);
    }
    FoldPair<1, 8>(left, from.upper_right != nullptr ? &right : nullptr, &made);
    left = made;
  }
  for (size_t i = 0; i < 64; ++i) {
    const int32_t magnitude = std::abs(left[i]), half = target_[i] * (kUnit / 2);
    to[i] = 0;
    if (magnitude <= half) continue;  // As in JpegStepScale, ties go to zero.
    const int32_t value = std::min((magnitude + half - 1) / (target_[i] * kUnit), kMostQuantized);
    to[i] = static_cast<int16_t>(left[i] < 0 ? -value : value);
  }
}

bool JpegFoldedRows::CanFold(const JpegFrame& source) {
  const auto& c = source.components;
  return source.component_count == 3 && c[0].h <= 2 && c[0].v <= 2 && c[0].h * c[0].v < 4 &&
         c[1].h == 1 && c[1].v == 1 && c[2].h == 1 && c[2].v == 1;
}

JpegFrame JpegFoldedRows::FoldedFrame(const JpegFrame& source) {
  JpegFrame folded = source;
  folded.components[0].h = folded.components[0].v = 2;
  folded.max_h = folded.max_v = 2;
  folded.mcu_columns = DivideRoundingUp(source.width, 16u);
  folded.mcu_rows = DivideRoundingUp(source.height, 16u);
  return folded;
}

uint64_t JpegFoldedRows::MemoryBytes(uint64_t row_blocks) {
  // Luma of two rows and a column more, chroma of two rows, and folded chroma.
  return BufferPool::CapacityFor(SaturatingMul(row_blocks + 4, 3 * 64 * sizeof(int16_t)));
}

Status JpegFoldedRows::Start(const JpegFrame& source, const JpegFrame& target, Meter& meter) {
  source_ = &source;
  target_ = &target;
  folds_h_ = source.max_h == 1;
  folds_v_ = source.max_v == 1;
  const size_t luma = size_t{target.block_columns(0)} * 64;
  const size_t chroma = size_t{source.block_columns(1)} * 64;
  const size_t folded = size_t{target.block_columns(1)} * 64;
  PIXPRESS_ASSIGN_OR_RETURN(buffer_,
                            meter.Allocate((2 * luma + 4 * chroma + 2 * folded) * sizeof(int16_t)));
  auto* next = buffer_.as<int16_t>();
  const auto take = [&](size_t count) { return std::exchange(next, next + count); };
  for (int16_t*& row : luma_) row = take(luma);
  for (size_t c = 1; c < 3; ++c) {
    for (int16_t*& row : chroma_[c]) row = take(chroma);
    folded_[c] = take(folded);
    folds_[c] = JpegBlockFold(source.quant[source.components[c].quant],
                              target.quant[target.components[c].quant]);
  }
  return Status();
}

JpegBlockTargets JpegFoldedRows::Targets(uint32_t i) {
  JpegBlockTargets targets = {};
  targets[0][0] = luma_[i];
  if (!folds_v_) targets[0][1] = luma_[1];
  for (size_t c = 1; c < 3; ++c) targets[c][0] = chroma_[c][i];
  return targets;
}

// Blocks of luma that the source does not have continue their neighbor's mean.
void JpegFoldedRows::PadLuma(uint32_t count) {
  const size_t own = source_->block_columns(0), all = target_->block_columns(0);
  const size_t rows = folds_v_ ? count : 2;
  for (size_t y = 0; y < 2; ++y) {
    int16_t* const row = luma_[y];
    for (size_t x = y < rows ? own : 0; x < all; ++x) {
      std::memset(row + x * 64, 0, 64 * sizeof *row);
      row[x * 64] = y < rows ? row[(x - 1) * 64] : luma_[0][x * 64];
    }
  }
}

JpegBlockRows JpegFoldedRows::Fold(uint32_t count) {
  PadLuma(count);
  JpegBlockRows rows = {};
  rows[0][0] = luma_[0];
  rows[0][1] = luma_[1];
  const size_t columns = source_->block_columns(1);
  for (size_t c = 1; c < 3; ++c) {
    const int16_t* const upper = chroma_[c][0];
    const int16_t* const lower = folds_v_ && count > 1 ? chroma_[c][1] : nullptr;
    for (size_t x = 0; x < target_->block_columns(1); ++x) {
      const size_t left = folds_h_ ? 2 * x : x;
      const bool has_right = folds_h_ && left + 1 < columns;
      JpegBlockFold::Square square;
      square.upper_left = upper + left * 64;
      if (has_right) square.upper_right = upper + (left + 1) * 64;
      if (lower != nullptr) square.lower_left = lower + left * 64;
      if (has_right && lower != nullptr) square.lower_right = lower + (left + 1) * 64;
      folds_[c].Fold(square, folds_h_, folds_v_, folded_[c] + x * 64);
    }
    rows[c][0] = folded_[c];
  }
  return rows;
}

}  // namespace pixpress
