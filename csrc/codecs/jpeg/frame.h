#pragma once
// The tables and the geometry of a JPEG image that our own entropy coder takes.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "codecs/codec.h"
#include "codecs/jpeg/huffman.h"

namespace pixpress {

// Position in zigzag order to position in the block, row by row.
inline constexpr std::array<uint8_t, 64> kJpegNaturalOrder = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

using JpegQuantTable = std::array<uint16_t, 64>;  // In zigzag order.

// The blocks of one row of MCUs, coefficients in natural order: of each component its rows of
// blocks, padded to whole MCUs.
using JpegBlockRows = std::array<std::array<const int16_t*, 4>, 3>;
using JpegBlockTargets = std::array<std::array<int16_t*, 4>, 3>;  // The same, to be filled.

struct JpegFrameComponent {
  uint8_t id = 0;
  uint8_t h = 1;  // Blocks of an MCU; 1 x 1 where there is one component.
  uint8_t v = 1;
  uint8_t quant = 0;  // Tables of the frame.
  uint8_t dc = 0;
  uint8_t ac = 0;
};

// Largest number of blocks of an MCU.
inline constexpr uint32_t kMaxJpegMcuBlocks = 10;

struct JpegFrame {
  uint32_t width = 0;
  uint32_t height = 0;
  uint8_t component_count = 0;  // 1 or 3
  std::array<JpegFrameComponent, 3> components;
  std::array<JpegQuantTable, 4> quant = {};
  std::array<JpegHuffmanSpec, 4> dc;
  std::array<JpegHuffmanSpec, 4> ac;
  uint32_t restart_interval = 0;  // In MCUs; 0 is none.
  uint8_t max_h = 1;
  uint8_t max_v = 1;
  uint32_t mcu_columns = 0;
  uint32_t mcu_rows = 0;
  // The entropy-coded data, restart markers included, and what comes after it: who reads it sees
  // where it ends.
  Bytes scan;

  // Of a component, padded to whole MCUs.
  uint32_t block_columns(size_t component) const { return mcu_columns * components[component].h; }
  uint32_t mcu_blocks() const;
  uint64_t mcu_count() const { return uint64_t{mcu_columns} * mcu_rows; }
};

// Visits the blocks of one row of MCUs as visit(block, component), in the order of the file, until
// that returns false; then returns false too.
template <typename Visit>
bool VisitJpegBlocks(const JpegFrame& frame, const JpegBlockRows& blocks, const Visit& visit) {
  for (uint32_t column = 0; column < frame.mcu_columns; ++column) {
    for (size_t c = 0; c < frame.component_count; ++c) {
      const JpegFrameComponent& own = frame.components[c];
      for (size_t y = 0; y < own.v; ++y) {
        const int16_t* const row = blocks[c][y] + size_t{column} * own.h * 64;
        for (size_t x = 0; x < own.h; ++x) {
          if (!visit(row + x * 64, c)) return false;
        }
      }
    }
  }
  return true;
}

// Sequential Huffman coding of 8 bits in one scan of all of one or three components. Everything
// else, and whatever is not in perfect order, is kUnsupportedFormat: left to libjpeg. Borrows
// `encoded`.
Result<JpegFrame> ParseJpegFrame(Bytes encoded);

}  // namespace pixpress
