#pragma once
// A part of a scan that begins at a restart marker, or where it is known what came before.

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "codecs/jpeg/drafter.h"
#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/mcu_marks.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread at a time.
class JpegIntervalPart {
 public:
  // Of `units` times the room of a JpegScanPart.
  static uint64_t MemoryBytes(size_t units);
  Status Start(const JpegFrame& frame, const JpegEntropyDecoder& tables, size_t units,
               Meter& meter);

  // From there on: a position, or a restart marker. Decode goes on until the restart marker at
  // `end`, and ends early where the data is wrong or room ends.
  void GoTo(const JpegPosition& position) {
    decoder_.GoTo(position.place, position.mcus, position.dc);
  }
  void GoToRestart(size_t offset) { decoder_.GoToRestart(offset); }
  Status Decode(size_t end, const JpegDrafter& drafter, const StopToken& stop);

  size_t mcu_count() const { return mcu_count_; }
  JpegMarkedTokens drafts(bool is_chosen) const {
    return {tokens_, marks_, /*has_differences=*/false, is_chosen};
  }
  // Was it decoded up to its end?
  bool is_complete() const { return is_complete_; }
  // Is there wrong data after the last mark?
  bool is_wrong() const { return is_wrong_; }
  // Where it ended, neither complete nor wrong.
  JpegScanWindow::Place place() const { return decoder_.place(); }
  // Has the scan ended at this mark?
  bool IsEnd(size_t mark) const { return mark >= first_end_; }

 private:
  const JpegFrame* frame_ = nullptr;
  JpegEntropyDecoder decoder_;
  Buffer memory_;
  JpegToken* tokens_ = nullptr;
  JpegMcuMark* marks_ = nullptr;
  size_t most_tokens_ = 0;
  size_t most_mcus_ = 0;
  size_t mcu_count_ = 0;
  size_t first_end_ = 0;  // The first mark at which less than a byte of the scan is left.
  bool is_complete_ = false;
  bool is_wrong_ = false;
};

}  // namespace pixpress
