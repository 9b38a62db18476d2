#pragma once
// The tokens of a whole image, of each component apart, as the scans of a progressive file take
// them.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/tokens.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread, but while nothing is put, for reading; borrows the frame and the meter.
class JpegImageTokens {
 public:
  JpegImageTokens(const JpegFrame& frame, Meter& meter);
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows);

  Status Start();
  // The tokens of the next rows of MCUs, each on any thread that is idle.
  Status PutRows(std::span<const std::span<const JpegToken>> rows, Parallel& parallel);

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
  using BlockRowSizes = std::array<std::array<uint32_t, 4>, 3>;  // By component.
  template <typename Use>
  void VisitBlocks(const JpegToken* next, const Use& use) const;
  // How many AC tokens its rows of blocks have. DC is put as if that of the blocks before was 0.
  BlockRowSizes PutDcOf(const JpegToken* tokens, uint32_t mcu_row);
  Status PutRow(const JpegToken* tokens, uint32_t mcu_row);
  void AddDcBefore(uint32_t mcu_row);
  // Does a block not only fill up an MCU?
  bool IsInside(size_t component, uint32_t column, uint32_t block_row) const {
    return column < columns_[component] && block_row < rows_[component];
  }

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
  uint64_t token_count_ = 0;
};

}  // namespace pixpress
