#pragma once
// The colors of the frames of a GIF: at most 256, found again by a hash.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace pixpress {

// A list of different GifColor()s. 0 is the transparent one.
class GifPalette {
 public:
  static constexpr size_t kMostColors = 256;

  GifPalette() { Clear(); }
  void Clear();
  size_t size() const { return colors_.size(); }
  std::span<const uint32_t> colors() const { return colors_; }

  // The index of a color, -1 if there is none.
  int Find(uint32_t color) const { return slots_[SlotOf(color)]; }
  // False if the color is new and the palette is full.
  bool Add(uint32_t color);
  // The index of a color, added if it is new; -1 if the palette is full then.
  int FindOrAdd(uint32_t color);
  // Add all of `others`, or, if that makes more than `most_colors`, none.
  bool AddAll(std::span<const uint32_t> others, size_t most_colors);

 private:
  static constexpr size_t kSlots = 1024;
  // The slot of the color, or the free one where it belongs.
  size_t SlotOf(uint32_t color) const {
    size_t slot = (color * 2654435761u) >> 22;
    while (slots_[slot] >= 0 && colors_[static_cast<size_t>(slots_[slot])] != color) {
      slot = (slot + 1) & (kSlots - 1);
    }
    return slot;
  }

  std::vector<uint32_t> colors_;
  std::array<int16_t, kSlots> slots_;  // Indices; open addressing.
};

}  // namespace pixpress
