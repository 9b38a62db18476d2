#include "kernels/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "kernels/color_histogram.h"
#include "kernels/dither.h"
#include "kernels/palette_color.h"
#include "kernels/palette_search.h"
#include "kernels/palette_split.h"

namespace pixpress {
namespace {

constexpr uint32_t kTransparentKey = 0;

using Entry = ColorHistogram::Entry;

// What the search for a palette starts from.
struct ColorCounts {
  WeightedColors visible;
  uint64_t visible_pixels = 0;
  uint64_t transparent_pixels = 0;
};

ColorCounts CountsOf(const ColorHistogram& histogram) {
  ColorCounts counts;
  for (const Entry& entry : histogram.entries()) {
    if (entry.key == kTransparentKey) {
      counts.transparent_pixels = entry.count;
      continue;
    }
    counts.visible.colors.push_back(ColorHistogram::MeanColor(entry));
    counts.visible.counts.push_back(entry.count);
    counts.visible_pixels += entry.count;
  }
  return counts;
}

struct Choice {
  std::vector<Rgba> colors;
  std::vector<uint64_t> weights;  // Pixels of each.
  uint64_t error = 0;
};

// Centers as they will be stored: rounded to 8 bits, each once.
std::vector<Rgba> StoredColors(const std::vector<PaletteColor>& centers) {
  std::vector<Rgba> colors;
  for (const PaletteColor& center : centers) {
    const Rgba color = ToStraight(center);
    if (std::find(colors.begin(), colors.end(), color) == colors.end()) colors.push_back(color);
  }
  return colors;
}

Result<Choice> ChooseColors(const ColorCounts& counts, size_t most, int effort,
                            const WorkContext& context) {
  const bool has_transparent = counts.transparent_pixels > 0;
  std::vector<PaletteColor> centers = SplitColors(counts.visible, most - (has_transparent ? 1 : 0));
  for (int round = 0; round < 1 + effort; ++round) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    RefineCenters(counts.visible, &centers);
  }
  Choice choice;
  choice.colors = StoredColors(centers);
  std::vector<PaletteColor> stored;
  for (const Rgba& color : choice.colors) stored.push_back(ToPaletteColor(color));
  choice.error = SquaredError(counts.visible, stored, &choice.weights);
  if (has_transparent) {
    choice.colors.push_back({0, 0, 0, 0});
    choice.weights.push_back(counts.transparent_pixels);
  }
  return choice;
}

// Unused colors are left out; equally used ones stay in their order.
std::vector<Rgba> MostUsedFirst(const Choice& choice) {
  std::vector<size_t> order;
  for (size_t i = 0; i < choice.colors.size(); ++i) {
    if (choice.weights[i] > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return choice.weights[a] > choice.weights[b]; });
  std::vector<Rgba> palette;
  for (const size_t i : order) palette.push_back(choice.colors[i]);
  return palette;
}

std::vector<Rgba> ExactPalette(const std::vector<Entry>& entries) {
  Choice choice;
  for (const Entry& entry : entries) {
    choice.colors.push_back(UnpackColor(entry.key));
    choice.weights.push_back(entry.count);
  }
  return MostUsedFirst(choice);
}

// The squared error of all visible pixels that `quality` allows; see PaletteOptions.
uint64_t AllowedError(int quality, uint64_t visible_pixels) {
  constexpr double kWeights = 45;  // What those of colors and alpha are parts of.
  if (quality >= 100) return 0;
  const double per_pixel = 255.0 * 255.0 * kWeights / std::pow(10.0, PaletteDecibels(quality) / 10);
  return static_cast<uint64_t>(per_pixel * static_cast<double>(visible_pixels));
}

// Fewest colors whose error is allowed; errors fall as colors are added, nearly always.
Result<Choice> ChooseFewest(const ColorCounts& counts, const PaletteOptions& options,
                            const WorkContext& context) {
  const uint64_t allowed = AllowedError(*options.min_quality, counts.visible_pixels);
  PIXPRESS_ASSIGN_OR_RETURN(Choice best,
                            ChooseColors(counts, options.max_colors, options.effort, context));
  if (best.error > allowed) {
    return Status(StatusCode::kOption, std::to_string(options.max_colors) +
                                           " colors cannot reach min_quality " +
                                           std::to_string(*options.min_quality));
  }
  size_t low = 2, high = options.max_colors;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    PIXPRESS_ASSIGN_OR_RETURN(Choice fewer, ChooseColors(counts, middle, options.effort, context));
    if (fewer.error <= allowed) {
      best = std::move(fewer);
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return best;
}

// Where each color of a palette is, for exact look-ups.
class ExactIndex {
 public:
  explicit ExactIndex(const std::vector<Rgba>& palette) {
    for (size_t i = 0; i < palette.size(); ++i) {
      Slot& slot = Find(PackColor(palette[i]));
      if (slot.index < 0) slot = {PackColor(palette[i]), static_cast<int>(i)};
    }
  }
  // -1: the palette does not have it.
  int At(Rgba color) { return Find(PackColor(color)).index; }

 private:
  static constexpr uint32_t kSlotBits = 10;  // Four times as many as entries.
  struct Slot {
    uint32_t key = 0;
    int index = -1;
  };
  Slot& Find(uint32_t key) {
    uint32_t at = (key * 0x9E3779B1u) >> (32 - kSlotBits);
    while (slots_[at].index >= 0 && slots_[at].key != key) at = (at + 1) % slots_.size();
    return slots_[at];
  }
  std::array<Slot, 1u << kSlotBits> slots_;
};

// False at the first pixel that the palette does not have.
Result<bool> MapExactly(const PixelView& pixels, const std::vector<Rgba>& palette,
                        const WorkContext& context, uint8_t* indices, size_t stride_bytes) {
  ExactIndex exact(palette);
  Rgba last = palette[0];
  int index = 0;
  for (uint32_t y = 0; y < pixels.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = pixels.data + y * pixels.stride_bytes;
    for (size_t x = 0; x < pixels.width; ++x) {
      const Rgba color = PixelColor(row + x * pixels.channels, pixels.channels);
      if (color != last) {
        index = exact.At(color);
        if (index < 0) return false;
        last = color;
      }
      indices[y * stride_bytes + x] = static_cast<uint8_t>(index);
    }
  }
  return true;
}

}  // namespace

double PaletteDecibels(int quality) { return 24.0 + 0.2 * quality; }

Result<std::vector<Rgba>> ChoosePalette(const PixelView& pixels, const PaletteOptions& options,
                                        const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(const ColorHistogram histogram, ColorHistogram::Count(pixels, context));
  if (histogram.entries().size() <= options.max_colors && histogram.is_exact()) {
    return ExactPalette(histogram.entries());
  }
  if (options.lossless) {
    return Status(StatusCode::kOption, "lossless is not possible: the image has more than " +
                                           std::to_string(options.max_colors) +
                                           " colors, the most of the palette");
  }
  const ColorCounts counts = CountsOf(histogram);
  if (options.min_quality.has_value()) {
    PIXPRESS_ASSIGN_OR_RETURN(const Choice choice, ChooseFewest(counts, options, context));
    return MostUsedFirst(choice);
  }
  PIXPRESS_ASSIGN_OR_RETURN(const Choice choice,
                            ChooseColors(counts, options.max_colors, options.effort, context));
  return MostUsedFirst(choice);
}

Status MapToPalette(const PixelView& pixels, const std::vector<Rgba>& palette,
                    const PaletteOptions& options, const WorkContext& context, uint8_t* indices,
                    size_t indices_stride_bytes) {
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_exact,
                            MapExactly(pixels, palette, context, indices, indices_stride_bytes));
  if (is_exact) return Status();
  std::vector<PaletteColor> colors;
  for (const Rgba& color : palette) colors.push_back(ToPaletteColor(color));
  PIXPRESS_ASSIGN_OR_RETURN(const auto cells,
                            PaletteCells::Create(std::move(colors), context.meter));
  PIXPRESS_ASSIGN_OR_RETURN(const auto ditherer,
                            Ditherer::Create(pixels, *cells, options.dither, context.meter));
  for (uint32_t y = 0; y < pixels.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    ditherer->NextRow(indices + y * indices_stride_bytes);
  }
  return Status();
}

uint64_t PaletteMemoryBytes(uint32_t width, uint32_t) {
  // Choosing: the histogram, then its colors with one copy, and what k-means needs.
  constexpr uint64_t kColorBytes = sizeof(PaletteColor) + sizeof(uint32_t);
  const uint64_t choosing =
      ColorHistogram::MemoryBytes() + 4 * ColorHistogram::kMostColors * kColorBytes + (256u << 10);
  const uint64_t mapping = PaletteCells::MemoryBytes() + Ditherer::MemoryBytes(width);
  return std::max(choosing, mapping);
}

}  // namespace pixpress
