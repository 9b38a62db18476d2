#include "codecs/gif/palette.h"

#include <algorithm>

namespace pixpress {

void GifPalette::Clear() {
  colors_.clear();
  slots_.fill(-1);
}

int GifPalette::FindOrAdd(uint32_t color) {
  const size_t slot = SlotOf(color);
  if (slots_[slot] >= 0) return slots_[slot];
  if (colors_.size() == kMostColors) return -1;
  slots_[slot] = static_cast<int16_t>(colors_.size());
  colors_.push_back(color);
  return slots_[slot];
}

bool GifPalette::Add(uint32_t color) { return FindOrAdd(color) >= 0; }

bool GifPalette::AddAll(std::span<const uint32_t> others, size_t most_colors) {
  const auto is_new = [&](uint32_t color) { return Find(color) < 0; };
  const auto more = std::ranges::count_if(others, is_new);
  if (colors_.size() + static_cast<size_t>(more) > std::min(most_colors, kMostColors)) return false;
  for (const uint32_t color : others) Add(color);
  return true;
}

}  // namespace pixpress
