#include "codecs/jpeg/fold.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "codecs/jpeg/piece.h"

namespace pixpress {
namespace {

constexpr size_t kChromaBlockBytes = 64 * sizeof(int16_t);

FoldFactors MakeFactors(const JpegQuantTable& source, const JpegQuantTable& target) {
  FoldSteps steps;
  for (size_t k = 0; k < 64; ++k) {
    steps.source[kJpegNaturalOrder[k]] = source[k];
    steps.target[kJpegNaturalOrder[k]] = target[k];
  }
  return MakeFoldFactors(steps);
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

// Padded by a column at most.
uint64_t JpegFoldedRows::MemoryBytes(uint64_t luma_columns, uint64_t chroma_columns) {
  return BufferPool::CapacityFor(SaturatingAdd(
      SaturatingMul(2, LumaRowBytes(luma_columns + 1)),
      SaturatingMul(4 * chroma_columns + 2 * (chroma_columns + 1), kChromaBlockBytes)));
}

uint64_t JpegFoldedRows::LumaRowBytes(uint64_t blocks) {
  constexpr uint64_t kBlockTokens = LumaRow::kHeadTokens + kMaxBlockDraft - 1;
  return SaturatingMul(SaturatingMul(blocks, kBlockTokens) + kTokenSlack, sizeof(JpegToken));
}

Status JpegFoldedRows::Start(const JpegFrame& source, const JpegFrame& target, Meter& meter) {
  source_ = &source;
  target_ = &target;
  folds_h_ = source.max_h == 1;
  folds_v_ = source.max_v == 1;
  const size_t luma_bytes = LumaRowBytes(target.block_columns(0));
  const size_t chroma_bytes = source.block_columns(1) * kChromaBlockBytes;
  const size_t folded_bytes = target.block_columns(1) * kChromaBlockBytes;
  PIXPRESS_ASSIGN_OR_RETURN(buffer_,
                            meter.Allocate(2 * luma_bytes + 4 * chroma_bytes + 2 * folded_bytes));
  uint8_t* next = buffer_.data();
  const auto take = [&](size_t bytes) {
    return reinterpret_cast<int16_t*>(std::exchange(next, next + bytes));
  };
  for (LumaRow& row : luma_) row.begin = reinterpret_cast<JpegToken*>(take(luma_bytes));
  for (size_t c = 1; c < 3; ++c) {
    for (int16_t*& row : chroma_[c]) row = take(chroma_bytes);
    folded_[c] = take(folded_bytes);
    factors_[c] = MakeFactors(source.quant[source.components[c].quant],
                              target.quant[target.components[c].quant]);
  }
  return Status();
}

void JpegFoldedRows::Begin(uint32_t i) {
  for (size_t y = 0; y < source_->components[0].v; ++y) {
    LumaRow& row = luma_[luma_row(i, y)];
    row.last = row.end = row.begin;
  }
}

// Blocks of luma that the source does not have continue their neighbor's mean.
void JpegFoldedRows::PadLuma(uint32_t count) {
  const auto put_flat = [](LumaRow& row, int32_t dc) {
    row.Put(dc, [](JpegTokenWriter& out) {
      out.PutEnd(false);
      return true;
    });
  };
  const size_t own = source_->block_columns(0), all = target_->block_columns(0);
  const size_t rows = folds_v_ ? count : 2;
  for (size_t y = 0; y < rows; ++y) {
    for (size_t x = own; x < all; ++x) put_flat(luma_[y], luma_[y].last_dc());
  }
  if (rows == 2) return;
  Begin(1);
  for (const JpegToken* upper = luma_[0].begin; upper < luma_[0].end;
       upper = LumaRow::After(upper)) {
    put_flat(luma_[1], JpegTokenValue(upper[0]));
  }
}

void JpegFoldedRows::Fold(uint32_t count) {
  PadLuma(count);
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
      FoldBlocks(square, folds_h_, folds_v_, factors_[c], folded_[c] + x * 64);
    }
  }
}

std::array<int32_t, 3> JpegFoldedRows::last_dc() const {
  const size_t last = (target_->block_columns(1) - 1) * size_t{64};
  return {luma_[1].last_dc(), folded_[1][last], folded_[2][last]};
}

}  // namespace pixpress
