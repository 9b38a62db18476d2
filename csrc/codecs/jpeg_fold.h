#pragma once
// Chroma of 4:4:4, 4:2:2 and 4:4:0 to 4:2:0, block by block and without pixels.

#include <array>
#include <cstdint>

#include "codecs/jpeg_frame.h"
#include "kernels/fold_blocks.h"
#include "memory/meter.h"

namespace pixpress {

// The rows of MCUs of a 4:2:0 image from those of a finer one.
class JpegFoldedRows {
 public:
  // Can chroma of the source be folded? It must have one block of each in an MCU.
  static bool CanFold(const JpegFrame& source);
  // The frame of the output, with the source's tables.
  static JpegFrame FoldedFrame(const JpegFrame& source);
  // Of a source that has so many blocks in a row of MCUs.
  static uint64_t MemoryBytes(uint64_t row_blocks);

  // `target` is FoldedFrame of the source with other quantization tables; all outlive this.
  Status Start(const JpegFrame& source, const JpegFrame& target, Meter& meter);
  // How many rows of MCUs of the source one of the output takes, and which is the first.
  uint32_t source_rows() const { return folds_v_ ? 2 : 1; }
  // Where the source's row number `i` of those goes to.
  JpegBlockTargets Targets(uint32_t i);
  // The output's row, from `count` source rows that were filled in. Luma in steps of the source,
  // chroma in those of the output.
  JpegBlockRows Fold(uint32_t count);

 private:
  void PadLuma(uint32_t count);

  const JpegFrame* source_ = nullptr;
  const JpegFrame* target_ = nullptr;
  bool folds_h_ = false;
  bool folds_v_ = false;
  Buffer buffer_;
  std::array<int16_t*, 2> luma_ = {};                   // Two rows of the output.
  std::array<std::array<int16_t*, 2>, 3> chroma_ = {};  // Rows of the source, from [1] on.
  std::array<int16_t*, 3> folded_ = {};
  std::array<FoldSteps, 3> steps_;
};

}  // namespace pixpress
