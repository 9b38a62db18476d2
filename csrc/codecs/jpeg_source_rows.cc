#include "codecs/jpeg_source_rows.h"

#include <algorithm>
#include <utility>

namespace pixpress {
namespace {

// A step of 0, which no encoder writes, cannot be divided by.
bool HasSteps(const JpegFrame& frame) {
  const auto has_zero = [](const JpegQuantTable& table) {
    return std::ranges::count(table, 0) > 0;
  };
  return std::none_of(frame.quant.begin(), frame.quant.begin() + frame.component_count, has_zero);
}

}  // namespace

Result<bool> JpegSourceRows::Start(Bytes encoded, const ImageInfo& info,
                                   const WorkContext& context) {
  if (info.is_progressive) {
    library_.emplace(info, context);
    PIXPRESS_RETURN_IF_ERROR(library_->Start(encoded));
    return HasSteps(library_->frame());
  }
  Result<JpegFrame> frame = ParseJpegFrame(encoded);
  if (!frame.ok()) return false;
  frame_ = std::move(frame).value();
  return decoder_.Start(frame_, context.meter).ok();
}

Status JpegSourceRows::StartFold(const JpegFrame& target, Meter& meter) {
  target_ = &target;
  return folded_.emplace().Start(frame(), target, meter);
}

uint32_t JpegSourceRows::TakeRow() {
  if (jump_.has_value()) decoder_.GoTo(jump_->place, jump_->dc);
  jump_.reset();
  const uint32_t left = made().mcu_columns - static_cast<uint32_t>(mcus_ % made().mcu_columns);
  mcus_ += left;
  return left;
}

Result<bool> JpegSourceRows::Requantize(JpegRequantizer& requantizer, JpegTokenWriter* out) {
  requantizer.StartAfter(dc());
  const uint32_t count = TakeRow();
  if (is_own()) {
    return requantizer.RequantizeMcus(decoder_, count, out) &&
           IsInOrderAfter(mcus_ / frame_.mcu_columns - 1);
  }
  JpegBlockRows blocks;
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_read, ReadBlocks(&blocks));
  return is_read && requantizer.RequantizeBlocks(blocks, out);
}

Result<bool> JpegSourceRows::Draft(const JpegDrafter& drafter, JpegToken** next) {
  const uint32_t count = TakeRow();
  if (is_own()) {
    return drafter.ReadMcus(decoder_, count, next) &&
           IsInOrderAfter(mcus_ / frame_.mcu_columns - 1);
  }
  JpegBlockRows blocks;
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_read, ReadBlocks(&blocks));
  return is_read && drafter.PutBlocks(blocks, next);
}

const std::array<int32_t, 3>& JpegSourceRows::dc() const {
  if (jump_.has_value()) return jump_->dc;
  return is_own() ? decoder_.predictors() : blocks_dc_;
}

JpegPosition JpegSourceRows::position() const {
  if (jump_.has_value()) return *jump_;
  JpegPosition position{.mcus = mcus_, .dc = dc(), .place = {}};
  if (is_free()) position.place = decoder_.place();
  return position;
}

void JpegSourceRows::GoTo(const JpegPosition& position) {
  jump_ = position;
  mcus_ = position.mcus;
}

// Those of the row that was taken.
Result<bool> JpegSourceRows::ReadBlocks(JpegBlockRows* blocks) {
  const auto row = static_cast<uint32_t>(mcus_ / made().mcu_columns - 1);
  if (folded_.has_value()) {
    const uint32_t first = row * folded_->source_rows();
    const uint32_t count = std::min(folded_->source_rows(), frame().mcu_rows - first);
    for (uint32_t i = 0; i < count; ++i) {
      PIXPRESS_ASSIGN_OR_RETURN(const bool is_read, FillFold(first + i, folded_->Targets(i)));
      if (!is_read) return false;
    }
    *blocks = folded_->Fold(count);
  } else {
    PIXPRESS_RETURN_IF_ERROR(library_->ReadRow(row, blocks));
  }
  for (size_t c = 0; c < made().component_count; ++c) {
    const int16_t* const last = (*blocks)[c][made().components[c].v - 1u];
    blocks_dc_[c] = last[(made().block_columns(c) - 1) * size_t{64}];
  }
  return true;
}

Result<bool> JpegSourceRows::FillFold(uint32_t row, const JpegBlockTargets& targets) {
  if (!library_.has_value()) return decoder_.ReadRow(targets) && IsInOrderAfter(row);
  JpegBlockRows blocks;
  PIXPRESS_RETURN_IF_ERROR(library_->ReadRow(row, &blocks));
  for (size_t c = 0; c < frame().component_count; ++c) {
    for (size_t y = 0; y < frame().components[c].v; ++y) {
      std::copy_n(blocks[c][y], size_t{frame().block_columns(c)} * 64, targets[c][y]);
    }
  }
  return true;
}

}  // namespace pixpress
