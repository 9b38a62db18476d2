#include "codecs/jpeg_part_reader.h"

#include <algorithm>
#include <cstdint>

namespace pixpress {

Status JpegPartReader::Start() {
  if (is_started_) return Status();
  is_started_ = true;
  for (Set& set : sets_) {
    set.resize(PartsOf(source_.frame().scan.size()));
    for (JpegScanPart& part : set) {
      PIXPRESS_RETURN_IF_ERROR(
          part.Start(source_.frame(), source_.decoder(), drafter_, context_.meter));
    }
  }
  return Status();
}

Result<size_t> JpegPartReader::Begin() {
  PIXPRESS_RETURN_IF_ERROR(Start());
  set_ = 1 - set_;
  position_ = source_.position();
  if (position_.mcus == source_.frame().mcu_count()) return 0;
  const Bytes scan = source_.frame().scan;
  offsets_[0] = position_.place.offset;
  count_ = 0;
  do {
    offsets_[count_ + 1] = JpegScanPart::EndOf(scan, offsets_[count_]);
    ++count_;
  } while (count_ < sets_[set_].size() && offsets_[count_] < scan.size());
  return count_;
}

Status JpegPartReader::Run(size_t task) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  JpegScanPart& part = sets_[set_][task];
  part.Load(source_.frame().scan, offsets_[task]);
  const bool is_first = task == 0;
  part.Decode(is_first ? position_.place.bit : 0, is_first, task + 1 < count_);
  return Status();
}

JpegPartReader::Joint JpegPartReader::JoinNext(size_t index) {
  JpegScanPart& part = sets_[set_][index];
  JpegScanPart& next = sets_[set_][index + 1];
  const size_t beyond = part.FirstBeyond();
  size_t to = beyond, from = 0;
  while (to <= part.mcu_count() && from <= next.mcu_count()) {
    const uint32_t bit = part.mark(to).bit - part.own_bits();
    if (bit == next.mark(from).bit) return {to, from};
    ++(bit < next.mark(from).bit ? to : from);
  }
  next.Decode(part.mark(beyond).bit - part.own_bits(), true, index + 2 < count_);
  return {beyond, 0};
}

// Returns the mark that it came to, before `to` if the image ends there.
size_t JpegPartReader::AddPieces(JpegScanPart& part, size_t from, size_t to,
                                 std::vector<JpegPiece>* pieces) {
  const JpegFrame& frame = source_.frame();
  while (from < to && position_.mcus < frame.mcu_count()) {
    const auto column = static_cast<uint32_t>(position_.mcus % frame.mcu_columns);
    const size_t count = std::min<size_t>(to - from, frame.mcu_columns - column);
    const JpegMcuMark& begin = part.mark(from);
    const JpegMcuMark& end = part.mark(from + count);
    JpegPiece piece;
    piece.row = static_cast<uint32_t>(position_.mcus / frame.mcu_columns);
    piece.ends_row = column + count == frame.mcu_columns;
    piece.has_differences = true;
    piece.begin = part.tokens() + begin.token;
    piece.end = part.tokens() + end.token;
    piece.dc_before = position_.dc;
    pieces->push_back(piece);
    for (size_t c = 0; c < frame.component_count; ++c) {
      position_.dc[c] += static_cast<int16_t>(end.dc[c] - begin.dc[c]);
    }
    position_.mcus += count;
    from += count;
  }
  return from;
}

Result<bool> JpegPartReader::Finish(std::vector<JpegPiece>* pieces) {
  pieces->clear();
  Joint joint;
  for (size_t i = 0; i < count_; ++i) {
    JpegScanPart& part = sets_[set_][i];
    const size_t from = joint.from;
    const size_t beyond = part.FirstBeyond();
    const bool ends_early = beyond > part.mcu_count();
    if (ends_early) {
      joint.to = part.mcu_count();
    } else if (i + 1 < count_) {
      joint = JoinNext(i);
    } else {
      joint.to = beyond;
    }
    const JpegMcuMark& mark = part.mark(AddPieces(part, from, joint.to, pieces));
    if (position_.mcus == source_.frame().mcu_count()) {
      source_.GoTo(position_);
      return part.IsEnd(mark);
    }
    if (ends_early) {
      // What the parts after it found is not certain.
      position_.place.offset = part.OffsetOf(mark.bit);
      position_.place.bit = mark.bit % 8;
      break;
    }
    position_.place.offset = offsets_[i + 1];
    position_.place.bit = mark.bit - part.own_bits();
  }
  source_.GoTo(position_);
  return !pieces->empty();
}

}  // namespace pixpress
