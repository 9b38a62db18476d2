#include "codecs/jpeg/source_rows.h"

#include <algorithm>
#include <utility>

#include "codecs/jpeg/token_maker.h"

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
  if (jump_.has_value()) decoder_.GoTo(jump_->place, jump_->mcus, jump_->dc);
  jump_.reset();
  const uint32_t left = made().mcu_columns - static_cast<uint32_t>(mcus_ % made().mcu_columns);
  mcus_ += left;
  return left;
}

Result<bool> JpegSourceRows::Requantize(JpegRequantizer& requantizer, JpegTokenWriter* out) {
  requantizer.StartAfter(dc());
  return Make(requantizer, out);
}

Result<bool> JpegSourceRows::Draft(const JpegDrafter& drafter, JpegTokenWriter* out) {
  return Make(drafter, out);
}

template <typename Maker>
Result<bool> JpegSourceRows::Make(Maker& maker, JpegTokenWriter* out) {
  const uint32_t count = TakeRow();
  const auto row = static_cast<uint32_t>(mcus_ / made().mcu_columns - 1);
  if (folded_.has_value()) return MakeFolded(row, maker, out);
  if (library_.has_value()) return MakeOfBlocks(row, maker, out);
  return ReadJpegMcus(frame_, decoder_, count, maker, out) && IsInOrderAfter(row);
}

template <typename Maker>
Result<bool> JpegSourceRows::MakeFolded(uint32_t row, Maker& maker, JpegTokenWriter* out) {
  const uint32_t first = row * folded_->source_rows();
  const uint32_t count = std::min(folded_->source_rows(), frame().mcu_rows - first);
  for (uint32_t i = 0; i < count; ++i) {
    if (library_.has_value()) {
      JpegBlockRows blocks;
      PIXPRESS_RETURN_IF_ERROR(library_->ReadRow(first + i, &blocks));
      if (!folded_->TakeRow(blocks, i, maker)) return false;
    } else if (!folded_->ReadRow(decoder_, i, maker) || !IsInOrderAfter(first + i)) {
      return false;
    }
  }
  folded_->Fold(count);
  made_dc_ = folded_->last_dc();
  return folded_->Put(maker, out);
}

template <typename Maker>
Result<bool> JpegSourceRows::MakeOfBlocks(uint32_t row, Maker& maker, JpegTokenWriter* out) {
  JpegBlockRows blocks;
  PIXPRESS_RETURN_IF_ERROR(library_->ReadRow(row, &blocks));
  const JpegFrame& frame = library_->frame();
  for (size_t c = 0; c < frame.component_count; ++c) {
    const int16_t* const last = blocks[c][frame.components[c].v - 1u];
    made_dc_[c] = last[(frame.block_columns(c) - 1) * size_t{64}];
  }
  return VisitJpegBlocks(frame, blocks, [&](const int16_t* block, size_t component) {
    return PutJpegBlock(block, component, maker, *out);
  });
}

const std::array<int32_t, 3>& JpegSourceRows::dc() const {
  if (jump_.has_value()) return jump_->dc;
  return is_own() ? decoder_.predictors() : made_dc_;
}

JpegPosition JpegSourceRows::position() const {
  if (jump_.has_value()) return *jump_;
  JpegPosition position{.mcus = mcus_, .dc = dc(), .place = {}};
  if (is_own()) position.place = decoder_.place();
  return position;
}

void JpegSourceRows::GoTo(const JpegPosition& position) {
  jump_ = position;
  mcus_ = position.mcus;
}

}  // namespace pixpress
