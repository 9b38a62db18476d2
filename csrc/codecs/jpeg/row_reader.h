#pragma once
// Rows of MCUs, read one after the other.

#include <array>
#include <vector>

#include "codecs/jpeg/read_ahead.h"
#include "codecs/jpeg/source_rows.h"
#include "image/work_context.h"

namespace pixpress {

// For sources that only one thread can read. Borrows everything.
class JpegRowReader final : public JpegReadAhead {
 public:
  // `frame` is that of the output.
  JpegRowReader(JpegSourceRows& source, const JpegFrame& frame, const JpegDrafter& drafter,
                const WorkContext& context)
      : source_(source),
        mcu_count_(frame.mcu_count()),
        row_tokens_(JpegDrafter::MaxRowTokens(frame)),
        context_(context),
        drafter_(drafter) {}
  static uint64_t MemoryBytes(size_t row_tokens);

  Result<size_t> Begin(uint32_t end_row) override;
  Status Run(size_t task) override;
  Result<bool> Finish(std::vector<JpegPiece>* pieces) override;

 private:
  Status ReadRow(JpegTokenWriter* out);

  JpegSourceRows& source_;
  const uint64_t mcu_count_;
  const size_t row_tokens_;
  const WorkContext& context_;
  const JpegDrafter drafter_;
  std::array<Buffer, 2> tokens_;
  size_t set_ = 0;  // That is read.
  std::vector<JpegPiece> pieces_;
  bool is_good_ = true;
};

}  // namespace pixpress
