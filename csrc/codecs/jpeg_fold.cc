#include "codecs/jpeg_fold.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

FoldSteps MakeFoldSteps(const JpegQuantTable& source, const JpegQuantTable& target) {
  FoldSteps steps;
  for (size_t k = 0; k < 64; ++k) {
    steps.source[kJpegNaturalOrder[k]] = source[k];
    steps.target[kJpegNaturalOrder[k]] = target[k];
  }
  return steps;
}

}  // namespace

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
    steps_[c] = MakeFoldSteps(source.quant[source.components[c].quant],
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
      BlockSquare square;
      square.upper_left = upper + left * 64;
      if (has_right) square.upper_right = upper + (left + 1) * 64;
      if (lower != nullptr) square.lower_left = lower + left * 64;
      if (has_right && lower != nullptr) square.lower_right = lower + (left + 1) * 64;
      FoldBlocks(square, folds_h_, folds_v_, steps_[c], folded_[c] + x * 64);
    }
    rows[c][0] = folded_[c];
  }
  return rows;
}

}  // namespace pixpress
