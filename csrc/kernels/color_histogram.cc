#include "kernels/color_histogram.h"

#include <algorithm>

#include "memory/buffer.h"

namespace pixpress {
namespace {

constexpr uint32_t kSlotBits = 17;
constexpr uint32_t kSlots = 1u << kSlotBits;
constexpr uint32_t kTransparent = 0;

// An open-addressed table in a buffer.
class ColorTable {
 public:
  using Entry = ColorHistogram::Entry;

  explicit ColorTable(Entry* slots) : slots_(slots) { std::fill_n(slots_, kSlots, Entry{}); }

  // Counts `pixels` of the color `key`.
  void Add(uint32_t key, uint32_t pixels) {
    const uint32_t folded = Fold(key);
    Entry& entry = Find(folded);
    if (entry.count == 0) {
      entry.key = folded;
      ++used_;
    }
    entry.count += pixels;
    if (dropped_bits_ > 0) AddLow(key - folded, pixels, entry);
  }

  bool is_full() const { return used_ > ColorHistogram::kMostColors; }
  uint32_t dropped_bits() const { return dropped_bits_; }

  // One bit less of each channel.
  void DropBit() {
    const std::vector<Entry> entries = Entries();
    std::fill_n(slots_, kSlots, Entry{});
    used_ = 0;
    ++dropped_bits_;
    for (const Entry& old : entries) {
      const uint32_t folded = Fold(old.key);
      Entry& entry = Find(folded);
      if (entry.count == 0) ++used_;
      entry.key = folded;
      entry.count += old.count;
      for (size_t c = 0; c < 4; ++c) {
        entry.low[c] += old.low[c];
      }
      AddLow(old.key - folded, old.count, entry);
    }
  }

  std::vector<Entry> Entries() const {
    std::vector<Entry> entries;
    entries.reserve(used_);
    std::copy_if(slots_, slots_ + kSlots, std::back_inserter(entries),
                 [](const Entry& entry) { return entry.count > 0; });
    return entries;
  }

 private:
  // Never greater than `key` in any channel. Alpha keeps 255, and translucent stays apart from 0.
  uint32_t Fold(uint32_t key) const {
    if (dropped_bits_ == 0 || key == kTransparent) return key;
    const uint32_t mask = 0xFFu << dropped_bits_ & 0xFFu;
    const uint32_t alpha = key >> 24;
    const uint32_t kept = alpha == 255 ? 255 : std::max(1u, alpha & mask);
    return (key & mask * 0x010101u) | kept << 24;
  }

  static void AddLow(uint32_t low, uint32_t pixels, Entry& entry) {
    for (size_t c = 0; c < 4; ++c) entry.low[c] += uint64_t{low >> (8 * c) & 255} * pixels;
  }

  Entry& Find(uint32_t key) {
    uint32_t slot = (key * 0x9E3779B1u) >> (32 - kSlotBits);
    while (slots_[slot].count > 0 && slots_[slot].key != key) slot = (slot + 1) % kSlots;
    return slots_[slot];
  }

  Entry* const slots_;  // kSlots of them, not owned.
  uint32_t used_ = 0;
  uint32_t dropped_bits_ = 0;
};

template <uint8_t kChannels>
void AddRow(const uint8_t* row, uint32_t width, ColorTable* table) {
  const auto color_at = [row](uint32_t x) {
    return PackColor(PixelColor(row + size_t{x} * kChannels, kChannels));
  };
  for (uint32_t x = 0; x < width;) {
    const uint32_t begin = x, color = color_at(x);
    do {
      ++x;
    } while (x < width && color_at(x) == color);
    table->Add(color, x - begin);
    while (table->is_full()) table->DropBit();
  }
}

}  // namespace

Result<ColorHistogram> ColorHistogram::Count(const PixelView& pixels, const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Buffer slots, context.meter.Allocate(kSlots * sizeof(Entry)));
  ColorTable table(slots.as<Entry>());
  for (uint32_t y = 0; y < pixels.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = pixels.data + y * pixels.stride_bytes;
    if (pixels.channels == 4) {
      AddRow<4>(row, pixels.width, &table);
    } else {
      AddRow<3>(row, pixels.width, &table);
    }
  }
  ColorHistogram histogram;
  histogram.dropped_bits_ = table.dropped_bits();
  histogram.entries_ = table.Entries();
  // Sorted: the order of a hash table is nobody's promise.
  std::sort(histogram.entries_.begin(), histogram.entries_.end(),
            [](const Entry& a, const Entry& b) { return a.key < b.key; });
  return histogram;
}

uint64_t ColorHistogram::MemoryBytes() {
  // The table, and the entries with one copy.
  return BufferPool::CapacityFor(kSlots * sizeof(Entry)) + 2 * kMostColors * sizeof(Entry);
}

PaletteColor ColorHistogram::MeanColor(const Entry& entry) {
  // In 1/16, so that the mean of many colors is not rounded twice.
  std::array<int64_t, 4> mean;
  for (size_t c = 0; c < 4; ++c) {
    const uint64_t sum = uint64_t{entry.key >> (8 * c) & 255} * entry.count + entry.low[c];
    mean[c] = static_cast<int64_t>((sum * 16 + entry.count / 2) / entry.count);
  }
  return ToPaletteColor(mean, 16);
}

}  // namespace pixpress
