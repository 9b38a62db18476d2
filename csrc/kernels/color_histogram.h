#pragma once
// How often each color of an image occurs, in bounded memory.

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "image/work_context.h"
#include "kernels/palette.h"
#include "kernels/palette_color.h"

namespace pixpress {

// Counts colors exactly up to kMostColors; beyond that, colors that differ in their low bits only
// are counted together, with as many bits as needed, and stand for their mean. Fully transparent
// pixels are one color; opaque ones are never counted together with others.
class ColorHistogram {
 public:
  static constexpr uint32_t kMostColors = 1u << 16;

  struct Entry {
    uint32_t key = 0;                  // Packed, without the dropped bits.
    uint32_t count = 0;                // 0: an empty slot.
    std::array<uint32_t, 4> low = {};  // Sums of the dropped bits of each channel.
  };

  // Polls for a stop; charges `context`'s meter with MemoryBytes while it works.
  static Result<ColorHistogram> Count(const PixelView& pixels, const WorkContext& context);
  static uint64_t MemoryBytes();

  // In the order of their keys.
  const std::vector<Entry>& entries() const { return entries_; }
  bool is_exact() const { return dropped_bits_ == 0; }
  // The mean color of an entry.
  static PaletteColor MeanColor(const Entry& entry);

 private:
  std::vector<Entry> entries_;
  uint32_t dropped_bits_ = 0;
};

}  // namespace pixpress
