#include "codecs/jpeg/part_reader.h"

#include <algorithm>
#include <cstdint>

namespace pixpress {

Status JpegPartReader::Start() {
  if (is_started_) return Status();
  is_started_ = true;
  const size_t most_parts = JpegPartBatch::PartsOf(source_.frame().scan.size());
  for (Set& set : sets_) {
    set.resize(JpegPartBatch::PartsFor(context_.parallel.width(), most_parts));
    for (JpegScanPart& part : set) {
      PIXPRESS_RETURN_IF_ERROR(part.Start(source_.frame(), source_.decoder(), context_.meter));
    }
  }
  return Status();
}

Result<size_t> JpegPartReader::Begin(uint32_t end_row) {
  PIXPRESS_RETURN_IF_ERROR(Start());
  set_ = 1 - set_;
  position_ = source_.position();
  const JpegFrame& frame = source_.frame();
  if (position_.mcus == frame.mcu_count()) return 0;
  batch_.Begin(frame, position_, sets_[set_].size(), end_row,
               [&](size_t offset) { return JpegScanPart::EndOf(frame.scan, offset); });
  return batch_.count();
}

Status JpegPartReader::Run(size_t task) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  sets_[set_][task].Load(source_.frame().scan, batch_.offset(task));
  const bool is_first = task == 0;
  Decode(task, is_first ? position_.place.bit : 0, is_first);
  return Status();
}

void JpegPartReader::Decode(size_t index, uint32_t bit, bool is_certain) {
  const JpegPartDrafter drafter(drafter_, batch_.is_chosen());
  sets_[set_][index].Decode(bit, is_certain, index + 1 < batch_.count(), drafter.get());
}

JpegPartReader::Joint JpegPartReader::JoinNext(size_t index) {
  const JpegScanPart& part = sets_[set_][index];
  const JpegScanPart& next = sets_[set_][index + 1];
  const size_t beyond = part.FirstBeyond();
  size_t to = beyond, from = 0;
  while (to <= part.mcu_count() && from <= next.mcu_count()) {
    const uint32_t bit = part.mark(to).bit - part.own_bits();
    if (bit == next.mark(from).bit) return {to, from};
    ++(bit < next.mark(from).bit ? to : from);
  }
  Decode(index + 1, part.mark(beyond).bit - part.own_bits(), true);
  return {beyond, 0};
}

Result<bool> JpegPartReader::Finish(std::vector<JpegPiece>* pieces) {
  pieces->clear();
  const JpegFrame& frame = source_.frame();
  Joint joint;
  for (size_t i = 0; i < batch_.count(); ++i) {
    const JpegScanPart& part = sets_[set_][i];
    const size_t from = joint.from;
    const size_t beyond = part.FirstBeyond();
    const bool ends_early = beyond > part.mcu_count();
    if (ends_early) {
      joint.to = part.mcu_count();
    } else if (i + 1 < batch_.count()) {
      joint = JoinNext(i);
    } else {
      joint.to = beyond;
    }
    if (batch_.Cuts(std::min(position_.mcus + joint.to - from, frame.mcu_count()))) break;
    const JpegMcuMark& mark = part.mark(
        part.drafts(batch_.is_chosen()).CutPieces(frame, from, joint.to, &position_, pieces));
    if (position_.mcus == frame.mcu_count()) {
      source_.GoTo(position_);
      return part.IsEnd(mark);
    }
    if (ends_early) {
      // What the parts after it found is not certain.
      position_.place.offset = part.OffsetOf(mark.bit);
      position_.place.bit = mark.bit % 8;
      break;
    }
    position_.place.offset = batch_.offset(i + 1);
    position_.place.bit = mark.bit - part.own_bits();
  }
  source_.GoTo(position_);
  return !pieces->empty() || batch_.was_cut();
}

}  // namespace pixpress
