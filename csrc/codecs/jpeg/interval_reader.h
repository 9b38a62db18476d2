#pragma once
// The MCUs of a scan with restarts, read on several threads.

#include <array>
#include <vector>

#include "codecs/jpeg/interval_part.h"
#include "codecs/jpeg/part_batch.h"
#include "codecs/jpeg/read_ahead.h"
#include "codecs/jpeg/source_rows.h"
#include "image/work_context.h"

namespace pixpress {

// Decodes whole restart intervals at the same time, each from its marker on, so that all that was
// read is certain if the markers are those that should be there. Takes over from a decoder that
// reads one MCU after the other, and gives it back where it is. Borrows everything.
class JpegIntervalReader final : public JpegReadAhead {
 public:
  // Are there intervals enough for parts of them?
  static bool Takes(const JpegFrame& frame);
  JpegIntervalReader(JpegSourceRows& source, const JpegDrafter& drafter, const WorkContext& context)
      : source_(source), drafter_(drafter), context_(context) {}
  // Of a file of so many bytes; 0 is unknown.
  static uint64_t MemoryBytes(uint64_t encoded_bytes);

  Result<size_t> Begin(uint32_t end_row) override;
  Status Run(size_t task) override;
  Result<bool> Finish(std::vector<JpegPiece>* pieces) override;

 private:
  using Set = std::vector<JpegIntervalPart>;
  Status Start();

  JpegSourceRows& source_;
  const JpegDrafter drafter_;
  const WorkContext& context_;
  bool is_started_ = false;
  std::array<Set, 2> sets_;
  size_t set_ = 0;  // That is read.
  JpegPartBatch batch_;
  JpegPosition position_;
};

}  // namespace pixpress
