#include "codecs/jpeg/interval_reader.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// A part ends at the first marker after so many bytes.
constexpr size_t kFewestBytes = JpegScanPart::kBytes / 2;

// How much room a part takes, times that of a JpegScanPart: for an interval half as long again as
// they are on average.
size_t UnitsOf(const JpegFrame& frame) {
  const uint64_t bytes_per_interval =
      frame.scan.size() * frame.restart_interval / std::max<uint64_t>(frame.mcu_count(), 1);
  return DivideRoundingUp<uint64_t>(kFewestBytes + bytes_per_interval * 3 / 2,
                                    JpegScanPart::kBytes);
}

size_t PartsOf(const JpegFrame& frame) {
  return JpegPartBatch::PartsOf(frame.scan.size()) / UnitsOf(frame);
}

// The first restart marker from `offset` on, or the end of the data.
size_t FindRestart(Bytes scan, size_t offset) {
  while (offset + 1 < scan.size()) {
    const void* const found = std::memchr(scan.data() + offset, 0xFF, scan.size() - 1 - offset);
    if (found == nullptr) return scan.size();
    offset = static_cast<size_t>(static_cast<const uint8_t*>(found) - scan.data());
    const uint8_t next = scan[offset + 1];
    if (next >= 0xD0 && next <= 0xD7) return offset;
    // No marker that the decoder takes: it will see what that means.
    if (next != 0) return scan.size();
    offset += 2;
  }
  return scan.size();
}

}  // namespace

bool JpegIntervalReader::Takes(const JpegFrame& frame) { return PartsOf(frame) >= 2; }

uint64_t JpegIntervalReader::MemoryBytes(uint64_t encoded_bytes) {
  const size_t units = JpegPartBatch::PartsOf(encoded_bytes);
  // Parts of several units take a size class more at most than as many parts of one.
  return 2 * units * JpegIntervalPart::MemoryBytes(1) / 16 * 17;
}

Status JpegIntervalReader::Start() {
  if (is_started_) return Status();
  is_started_ = true;
  for (Set& set : sets_) {
    set.resize(JpegPartBatch::PartsFor(context_.parallel.width(), PartsOf(source_.frame())));
    for (JpegIntervalPart& part : set) {
      PIXPRESS_RETURN_IF_ERROR(
          part.Start(source_.frame(), source_.decoder(), UnitsOf(source_.frame()), context_.meter));
    }
  }
  return Status();
}

Result<size_t> JpegIntervalReader::Begin(uint32_t end_row) {
  PIXPRESS_RETURN_IF_ERROR(Start());
  set_ = 1 - set_;
  position_ = source_.position();
  const JpegFrame& frame = source_.frame();
  if (position_.mcus == frame.mcu_count()) return 0;
  batch_.Begin(frame, position_, sets_[set_].size(), end_row, [&](size_t offset) {
    return FindRestart(frame.scan, std::min(offset + kFewestBytes, frame.scan.size()));
  });
  return batch_.count();
}

Status JpegIntervalReader::Run(size_t task) {
  JpegIntervalPart& part = sets_[set_][task];
  if (task == 0) {
    part.GoTo(position_);
  } else {
    part.GoToRestart(batch_.offset(task));
  }
  const JpegPartDrafter drafter(drafter_, batch_.is_chosen());
  return part.Decode(batch_.offset(task + 1), drafter.get(), context_.stop);
}

Result<bool> JpegIntervalReader::Finish(std::vector<JpegPiece>* pieces) {
  pieces->clear();
  const JpegFrame& frame = source_.frame();
  for (size_t i = 0; i < batch_.count(); ++i) {
    const JpegIntervalPart& part = sets_[set_][i];
    if (i > 0 && (frame.scan[batch_.offset(i) + 1] & 7) !=
                     JpegEntropyDecoder::RestartAfter(frame, position_.mcus)) {
      return false;
    }
    if (batch_.Cuts(std::min(position_.mcus + part.mcu_count(), frame.mcu_count()))) break;
    const size_t mark =
        part.drafts(batch_.is_chosen()).CutPieces(frame, 0, part.mcu_count(), &position_, pieces);
    if (position_.mcus == frame.mcu_count()) {
      source_.GoTo(position_);
      return part.IsEnd(mark);
    }
    if (part.is_wrong()) return false;
    if (!part.is_complete()) {
      position_.place = part.place();
      break;
    }
    position_.place = {.offset = batch_.offset(i + 1), .bit = 0};
  }
  source_.GoTo(position_);
  return !pieces->empty() || batch_.was_cut();
}

}  // namespace pixpress
