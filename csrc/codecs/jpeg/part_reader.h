#pragma once
// The MCUs of a scan without restarts, read on several threads.

#include <array>
#include <vector>

#include "codecs/jpeg/part_batch.h"
#include "codecs/jpeg/read_ahead.h"
#include "codecs/jpeg/scan_part.h"
#include "codecs/jpeg/source_rows.h"
#include "image/work_context.h"

namespace pixpress {

// Decodes parts at the same time and puts together what is certain of them. Takes over from a
// decoder that reads one MCU after the other, and gives it back where it is. Borrows everything.
class JpegPartReader final : public JpegReadAhead {
 public:
  JpegPartReader(JpegSourceRows& source, const JpegDrafter& drafter, const WorkContext& context)
      : source_(source), drafter_(drafter), context_(context) {}
  // Of a file of so many bytes; 0 is unknown.
  static uint64_t MemoryBytes(uint64_t encoded_bytes) {
    return 2 * JpegPartBatch::PartsOf(encoded_bytes) * JpegScanPart::MemoryBytes();
  }

  Result<size_t> Begin(uint32_t end_row) override;
  Status Run(size_t task) override;
  Result<bool> Finish(std::vector<JpegPiece>* pieces) override;

 private:
  using Set = std::vector<JpegScanPart>;

  Status Start();
  void Decode(size_t index, uint32_t bit, bool is_certain);
  // Where a part of which all is certain hands over to the next one, of which all is from there.
  struct Joint {
    size_t to = 0;    // The mark of this one,
    size_t from = 0;  // and of the next one.
  };
  Joint JoinNext(size_t index);

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
