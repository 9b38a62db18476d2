#pragma once
// The tokens of a whole image, of each component apart, as the scans of a progressive file take
// them.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/tokens.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread; borrows the frame and the meter.
class JpegImageTokens {
 public:
  JpegImageTokens(const JpegFrame& frame, Meter& meter);
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows);

  Status Start();
  // The tokens of a row of MCUs, rows in order.
  Status PutRow(std::span<const JpegToken> tokens);

  const JpegFrame& frame() const { return frame_; }
  // Of all blocks, DC and ends included.
  uint64_t token_count() const { return token_count_; }
  // AC tokens and ends of the blocks that a component has in a row of MCUs, row by row, without
  // those that only fill up MCUs.
  std::span<const JpegToken> Ac(size_t component, uint32_t mcu_row) const;
  // A row of blocks, padded to whole MCUs.
  int16_t* Dc(size_t component, uint32_t block_row) {
    return dc_begin_[component] + size_t{block_row} * frame_.block_columns(component);
  }
  const int16_t* Dc(size_t component, uint32_t block_row) const {
    return dc_begin_[component] + size_t{block_row} * frame_.block_columns(component);
  }
  // What rounding has left over of it, as JpegDcError.
  const int8_t* DcErrors(size_t component, uint32_t block_row) const {
    return dc_errors_begin_ + (Dc(component, block_row) - dc_begin_[0]);
  }
  // Without padding.
  uint32_t columns(size_t component) const { return columns_[component]; }
  uint32_t rows(size_t component) const { return rows_[component]; }

 private:
  struct Row {
    Buffer tokens;
    std::array<uint32_t, 4> ends = {};  // [c + 1] is that of component c.
  };
  // Where the AC tokens of each block begin, in the order of coding.
  void FindBlocks(std::span<const JpegToken> tokens);
  JpegToken* CopyComponent(size_t component, uint32_t first_block, JpegToken* to) const;

  const JpegFrame& frame_;
  Meter& meter_;
  std::array<uint32_t, 3> columns_ = {};
  std::array<uint32_t, 3> rows_ = {};
  std::vector<Row> held_;
  Buffer dc_;
  std::array<int16_t*, 3> dc_begin_ = {};
  Buffer dc_errors_;  // In the same order.
  int8_t* dc_errors_begin_ = nullptr;
  std::array<int32_t, 3> last_dc_ = {};
  Buffer blocks_;  // Pointers to tokens, one more than a row has blocks.
  uint64_t token_count_ = 0;
};

}  // namespace pixpress
