#include "kernels/palette_search.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

#include "kernels/all_targets.h"
#include "kernels/palette_image.h"

namespace pixpress {
namespace {

// The reference: all entries, one after the other; an opaque color looks at opaque ones only.
NearestEntry SlowNearest(const std::vector<PaletteColor>& palette, const PaletteColor& color,
                         bool opaque_only) {
  NearestEntry best{INT32_MAX};
  for (size_t i = 0; i < palette.size(); ++i) {
    if (opaque_only && palette[i][3] != kOpaqueAlpha) continue;
    int32_t distance = 0;
    for (size_t c = 0; c < 4; ++c) {
      distance += (palette[i][c] - color[c]) * (palette[i][c] - color[c]);
    }
    if (best.key == INT32_MAX || distance < best.distance()) {
      best.key = distance << 8 | static_cast<int32_t>(i);
    }
  }
  return best;
}

PaletteColor RandomColor(std::mt19937& random, bool is_opaque) {
  const auto level = [&](int scale) {
    return static_cast<int16_t>(random() % static_cast<uint32_t>(255 * scale + 1));
  };
  PaletteColor color;
  for (size_t c = 0; c < 4; ++c) color[c] = level(kPaletteScale[c]);
  if (is_opaque) color[3] = kOpaqueAlpha;
  return color;
}

// Some entries twice, so that the first of equals must win.
std::vector<PaletteColor> RandomPalette(size_t size, int opaque_of_four, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<PaletteColor> palette;
  while (palette.size() < size) {
    const bool repeats = palette.size() > 2 && random() % 8 == 0;
    palette.push_back(repeats ? palette[random() % palette.size()]
                              : RandomColor(random, random() % 4 < uint32_t(opaque_of_four)));
  }
  return palette;
}

TEST(PaletteSearchTest, EveryTargetFindsTheFirstNearestEntryOfAll) {
  ForEachTarget([](const char* target) {
    for (const size_t size : {1, 2, 7, 8, 9, 100, 256}) {
      const auto palette = RandomPalette(size, 1, static_cast<uint32_t>(size));
      std::vector<uint8_t> indices(size);
      std::iota(indices.begin(), indices.end(), uint8_t{0});
      std::mt19937 random(9);
      std::vector<PaletteColor> colors;
      for (int i = 0; i < 500; ++i) colors.push_back(RandomColor(random, i % 2 == 0));
      colors.push_back({0, 0, 0, 0});
      colors.push_back({765, 1020, 510, kOpaqueAlpha});
      std::vector<NearestEntry> nearest(colors.size());
      FindNearest(MakePaletteBlocks(palette, indices), colors.data(), colors.size(),
                  nearest.data());
      for (size_t i = 0; i < colors.size(); ++i) {
        ASSERT_EQ(nearest[i].key, SlowNearest(palette, colors[i], false).key) << target;
      }
    }
  });
}

// The nearest candidate, by the slow way.
NearestEntry NearestCandidate(PaletteCells& cells, const PaletteColor& color) {
  const PaletteCells::Candidates found = cells.At(color);
  NearestEntry best{INT32_MAX};
  for (uint32_t b = 0; b < found.count; ++b) {
    for (const int32_t index : found.blocks[b].index) {
      const auto& entry = cells.palette()[static_cast<size_t>(index)];
      int32_t distance = 0;
      for (size_t c = 0; c < 4; ++c) distance += (entry[c] - color[c]) * (entry[c] - color[c]);
      best.key = std::min(best.key, distance << 8 | index);
    }
  }
  return best;
}

TEST(PaletteSearchTest, TheCandidatesOfACellHoldTheNearestOfAll) {
  PaletteWorkplace workplace;
  for (const int opaque_of_four : {0, 2, 4}) {
    for (const size_t size : {1, 3, 50, 256}) {
      const auto palette = RandomPalette(size, opaque_of_four, static_cast<uint32_t>(size));
      const bool has_opaque = std::any_of(palette.begin(), palette.end(),
                                          [](const auto& c) { return c[3] == kOpaqueAlpha; });
      auto cells = PaletteCells::Create(palette, workplace.meter);
      ASSERT_TRUE(cells.ok());
      EXPECT_LE(workplace.meter.current_bytes(), PaletteCells::MemoryBytes());
      std::mt19937 random(3);
      for (int i = 0; i < 20000; ++i) {
        const PaletteColor color = RandomColor(random, i % 2 == 0);
        const bool is_opaque = color[3] == kOpaqueAlpha;
        ASSERT_EQ(NearestCandidate(*cells.value(), color).key,
                  SlowNearest(palette, color, is_opaque && has_opaque).key);
      }
    }
  }
}

TEST(PaletteSearchTest, MoreListsThanRoomStartAfresh) {
  // All entries are candidates of every cell: 32 blocks each, so that 2048 cells fill the room.
  const std::vector<PaletteColor> palette(256, PaletteColor{300, 400, 200, 500});
  PaletteWorkplace workplace;
  auto cells = PaletteCells::Create(palette, workplace.meter);
  ASSERT_TRUE(cells.ok());
  for (int round = 0; round < 2; ++round) {
    for (int16_t red = 0; red < 765; red += 32) {
      for (int16_t green = 0; green < 1020; green += 32) {
        for (int16_t blue = 0; blue < 510; blue += 32) {
          ASSERT_EQ(cells.value()->At({red, green, blue, 100}).count, 32u);
        }
      }
    }
  }
  EXPECT_EQ(NearestCandidate(*cells.value(), {1, 2, 3, 4}).index(), 0);
}

}  // namespace
}  // namespace pixpress
