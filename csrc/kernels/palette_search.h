#pragma once
// The nearest palette entry of a color, SIMD with run-time dispatch; of equally near entries always
// the first, so that every target finds the same.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/palette_color.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {

// Eight entries, transposed: red with green and blue with alpha in 32 bits each. Blocks are filled
// up by repeating an entry.
struct alignas(32) PaletteBlock {
  static constexpr size_t kEntries = 8;
  std::array<std::array<int16_t, 2>, kEntries> red_green;
  std::array<std::array<int16_t, 2>, kEntries> blue_alpha;
  std::array<int32_t, kEntries> index;
};

// What a search finds: the squared distance in the upper bits and the index in the lower 8.
struct NearestEntry {
  int32_t key;
  uint8_t index() const { return static_cast<uint8_t>(key); }
  int32_t distance() const { return key >> 8; }
};

// `indices` of `palette` in blocks. Neither is empty.
std::vector<PaletteBlock> MakePaletteBlocks(const std::vector<PaletteColor>& palette,
                                            const std::vector<uint8_t>& indices);

// For each of `count` colors the nearest entry of all blocks.
void FindNearest(const std::vector<PaletteBlock>& blocks, const PaletteColor* colors, size_t count,
                 NearestEntry* nearest);

// Finds the nearest of a few candidates: space is cut into cells, each with the entries that are
// nearest to any of its points, worked out when the cell is first asked for. An opaque color finds
// opaque entries only, if there are any. Not thread-safe.
class PaletteCells {
 public:
  // Blocks of all cells together; more, and the lists start afresh.
  static constexpr uint32_t kMostBlocks = 1u << 16;

  // `palette` has 1 to 256 entries.
  static Result<std::unique_ptr<PaletteCells>> Create(std::vector<PaletteColor> palette,
                                                      Meter& meter);
  static uint64_t MemoryBytes();

  // The candidates of `color`, whose channels are 0 to 255 times their scale. Valid until the next
  // call.
  struct Candidates {
    const PaletteBlock* blocks;
    uint32_t count;
  };
  Candidates At(const PaletteColor& color) {
    const uint32_t cell = CellOf(color);
    const uint32_t list = lists_[cell];
    return list != 0 ? Unpacked(list) : Build(cell);
  }

  const std::vector<PaletteColor>& palette() const { return palette_; }

 private:
  explicit PaletteCells(std::vector<PaletteColor> palette) : palette_(std::move(palette)) {}

  // Cells are 32 wide; alpha has slabs of 128, and opaque is one of its own.
  static constexpr int kCellBits = 5, kSlabBits = 7;
  static constexpr int kOpaqueSlab = (kOpaqueAlpha >> kSlabBits) + 1;
  static constexpr int kReds = 24, kGreens = 32, kBlues = 16;
  static constexpr uint32_t kCells = (kOpaqueSlab + 1) * kReds * kGreens * kBlues;
  static constexpr uint32_t kCountBits = 6;

  static uint32_t CellOf(const PaletteColor& c) {
    const int slab = c[3] == kOpaqueAlpha ? kOpaqueSlab : c[3] >> kSlabBits;
    const int red = slab * kReds + (c[0] >> kCellBits);
    const int green = red * kGreens + (c[1] >> kCellBits);
    return static_cast<uint32_t>(green * kBlues + (c[2] >> kCellBits));
  }
  Candidates Unpacked(uint32_t list) const {
    return {blocks_ + (list >> kCountBits), list & ((1u << kCountBits) - 1)};
  }
  Candidates Build(uint32_t cell);
  void Clear();

  const std::vector<PaletteColor> palette_;
  std::vector<int32_t> squares_;  // Of the lengths of its entries.
  std::vector<uint8_t> all_;
  std::vector<uint8_t> opaque_;  // All if no entry is opaque.
  Buffer lists_buffer_;
  Buffer blocks_buffer_;
  uint32_t* lists_ = nullptr;  // For each cell the first block and their number; 0: not built yet.
  PaletteBlock* blocks_ = nullptr;
  uint32_t used_blocks_ = 0;
};

}  // namespace pixpress
