#include "kernels/palette_search.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/palette_search.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/palette_search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

void FindNearest(const PaletteBlock* blocks, size_t block_count, const PaletteColor* colors,
                 size_t count, NearestEntry* nearest) {
  for (size_t i = 0; i < count; ++i) {
    nearest[i] = NearestOf(blocks, block_count, Wanted(colors[i]));
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(FindNearest);

constexpr size_t kMostEntries = 256;

int32_t Product(const PaletteColor& a, const PaletteColor& b) {
  int32_t sum = 0;
  for (size_t c = 0; c < 4; ++c) sum += a[c] * b[c];
  return sum;
}

// A box of colors, both ends inside.
struct Box {
  PaletteColor low, high;

  // Is `entry` at least as near as `best` to some point of the box? The difference of two squared
  // distances is linear, so that its least value is at a corner. `least` is the difference of their
  // squared lengths.
  bool MayBeNearer(const PaletteColor& entry, const PaletteColor& best, int32_t least) const {
    for (size_t c = 0; c < 4; ++c) {
      const int32_t step = entry[c] - best[c];
      least -= 2 * step * (step > 0 ? high[c] : low[c]);
    }
    return least <= 0;
  }
};

}  // namespace

std::vector<PaletteBlock> MakePaletteBlocks(const std::vector<PaletteColor>& palette,
                                            const std::vector<uint8_t>& indices) {
  std::vector<PaletteBlock> blocks((indices.size() + PaletteBlock::kEntries - 1) /
                                   PaletteBlock::kEntries);
  for (size_t i = 0; i < blocks.size() * PaletteBlock::kEntries; ++i) {
    const uint8_t index = indices[std::min(i, indices.size() - 1)];
    PaletteBlock& block = blocks[i / PaletteBlock::kEntries];
    const size_t lane = i % PaletteBlock::kEntries;
    block.red_green[lane] = {palette[index][0], palette[index][1]};
    block.blue_alpha[lane] = {palette[index][2], palette[index][3]};
    block.index[lane] = index;
  }
  return blocks;
}

void FindNearest(const std::vector<PaletteBlock>& blocks, const PaletteColor* colors, size_t count,
                 NearestEntry* nearest) {
  HWY_DYNAMIC_DISPATCH(FindNearest)(blocks.data(), blocks.size(), colors, count, nearest);
}

Result<std::unique_ptr<PaletteCells>> PaletteCells::Create(std::vector<PaletteColor> palette,
                                                           Meter& meter) {
  std::unique_ptr<PaletteCells> cells(new PaletteCells(std::move(palette)));
  for (size_t i = 0; i < cells->palette_.size(); ++i) {
    cells->all_.push_back(static_cast<uint8_t>(i));
    cells->squares_.push_back(Product(cells->palette_[i], cells->palette_[i]));
    if (cells->palette_[i][3] == kOpaqueAlpha) cells->opaque_.push_back(static_cast<uint8_t>(i));
  }
  if (cells->opaque_.empty()) cells->opaque_ = cells->all_;
  PIXPRESS_ASSIGN_OR_RETURN(cells->lists_buffer_, meter.Allocate(kCells * sizeof(uint32_t)));
  PIXPRESS_ASSIGN_OR_RETURN(cells->blocks_buffer_,
                            meter.Allocate(kMostBlocks * sizeof(PaletteBlock)));
  cells->lists_ = cells->lists_buffer_.as<uint32_t>();
  cells->blocks_ = cells->blocks_buffer_.as<PaletteBlock>();
  cells->Clear();
  return cells;
}

uint64_t PaletteCells::MemoryBytes() {
  return BufferPool::CapacityFor(kCells * sizeof(uint32_t)) +
         BufferPool::CapacityFor(kMostBlocks * sizeof(PaletteBlock)) + 16 * kMostEntries;
}

void PaletteCells::Clear() {
  std::fill_n(lists_, kCells, 0u);
  used_blocks_ = 0;
}

PaletteCells::Candidates PaletteCells::Build(uint32_t cell) {
  const auto at = [](uint32_t index, int bits) { return static_cast<int16_t>(index << bits); };
  Box box;
  const uint32_t slab = cell / (kReds * kGreens * kBlues);
  box.low = {at(cell / (kGreens * kBlues) % kReds, kCellBits),
             at(cell / kBlues % kGreens, kCellBits), at(cell % kBlues, kCellBits),
             at(slab, kSlabBits)};
  if (slab == kOpaqueSlab) box.low[3] = kOpaqueAlpha;
  PaletteColor middle;
  for (size_t c = 0; c < 4; ++c) {
    const int width = c < 3 ? 1 << kCellBits : slab == kOpaqueSlab ? 1 : 1 << kSlabBits;
    box.high[c] = static_cast<int16_t>(box.low[c] + width - 1);
    middle[c] = static_cast<int16_t>(box.low[c] + width / 2);
  }
  const std::vector<uint8_t>& allowed = slab == kOpaqueSlab ? opaque_ : all_;
  // Squared distances to the middle, but for the square of that.
  uint8_t best = allowed.front();
  int32_t least = INT32_MAX;
  for (const uint8_t index : allowed) {
    const int32_t distance = squares_[index] - 2 * Product(palette_[index], middle);
    if (distance >= least) continue;
    least = distance;
    best = index;
  }
  std::vector<uint8_t> candidates;
  for (const uint8_t index : allowed) {
    const int32_t difference = squares_[index] - squares_[best];
    if (box.MayBeNearer(palette_[index], palette_[best], difference)) candidates.push_back(index);
  }
  const std::vector<PaletteBlock> made = MakePaletteBlocks(palette_, candidates);
  if (used_blocks_ + made.size() > kMostBlocks) Clear();
  std::copy(made.begin(), made.end(), blocks_ + used_blocks_);
  lists_[cell] = used_blocks_ << kCountBits | static_cast<uint32_t>(made.size());
  used_blocks_ += static_cast<uint32_t>(made.size());
  return Unpacked(lists_[cell]);
}

}  // namespace pixpress
#endif  // HWY_ONCE
