#include "kernels/palette_split.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace pixpress {
namespace {

int64_t Distance(const PaletteColor& a, const PaletteColor& b) {
  int64_t sum = 0;
  for (size_t c = 0; c < 4; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

// The reference: every center for every color.
int64_t SlowError(const WeightedColors& colors, const std::vector<PaletteColor>& centers) {
  int64_t error = 0;
  for (size_t i = 0; i < colors.colors.size(); ++i) {
    int64_t least = INT64_MAX;
    for (const auto& center : centers) {
      const bool is_kept_apart = colors.colors[i][3] == kOpaqueAlpha && center[3] != kOpaqueAlpha;
      if (!is_kept_apart) least = std::min(least, Distance(colors.colors[i], center));
    }
    error += least * colors.counts[i];
  }
  return error;
}

WeightedColors RandomColors(size_t count, bool with_translucent) {
  std::mt19937 random(5);
  WeightedColors colors;
  for (size_t i = 0; i < count; ++i) {
    PaletteColor color;
    for (size_t c = 0; c < 4; ++c) {
      color[c] = static_cast<int16_t>(random() % static_cast<uint32_t>(255 * kPaletteScale[c]));
    }
    if (!with_translucent || i % 3 != 0) color[3] = kOpaqueAlpha;
    colors.colors.push_back(color);
    colors.counts.push_back(1 + static_cast<uint32_t>(random() % 100));
  }
  return colors;
}

TEST(PaletteSplitTest, ClustersFarApartAreFoundExactly) {
  WeightedColors colors;
  for (int16_t cluster = 0; cluster < 8; ++cluster) {
    for (int16_t i = 0; i < 3; ++i) {
      colors.colors.push_back({static_cast<int16_t>(100 * (cluster & 1) + i),
                               static_cast<int16_t>(100 * (cluster >> 1 & 1)),
                               static_cast<int16_t>(100 * (cluster >> 2)), kOpaqueAlpha});
      colors.counts.push_back(1);
    }
  }
  const auto centers = SplitColors(colors, 8);
  ASSERT_EQ(centers.size(), 8u);
  // The middle of three is the center: an error of 1 for each of the two others.
  EXPECT_EQ(SquaredError(colors, centers, nullptr), 16u);
}

TEST(PaletteSplitTest, NoMoreCentersThanAskedForOrThanColors) {
  const WeightedColors colors = RandomColors(50, true);
  for (const size_t most : {1, 2, 7, 49}) EXPECT_EQ(SplitColors(colors, most).size(), most);
  EXPECT_EQ(SplitColors(colors, 50).size(), 50u);
  EXPECT_EQ(SplitColors(colors, 256).size(), 50u);
  EXPECT_EQ(SquaredError(colors, SplitColors(colors, 256), nullptr), 0u);
}

TEST(PaletteSplitTest, TheErrorIsTheSlowOne) {
  for (const bool with_translucent : {false, true}) {
    const WeightedColors colors = RandomColors(3000, with_translucent);
    const auto centers = SplitColors(colors, 60);
    std::vector<uint64_t> weights;
    EXPECT_EQ(SquaredError(colors, centers, &weights),
              static_cast<uint64_t>(SlowError(colors, centers)));
    uint64_t all = 0, expected = 0;
    for (const uint64_t weight : weights) all += weight;
    for (const uint32_t count : colors.counts) expected += count;
    EXPECT_EQ(all, expected);
  }
}

TEST(PaletteSplitTest, RefiningLowersTheErrorAndKeepsOpaqueCentersOpaque) {
  const WeightedColors colors = RandomColors(3000, true);
  auto centers = SplitColors(colors, 60);
  const uint64_t before = SquaredError(colors, centers, nullptr);
  const auto opaque = [&] {
    return std::count_if(centers.begin(), centers.end(),
                         [](const PaletteColor& c) { return c[3] == kOpaqueAlpha; });
  };
  const auto opaque_before = opaque();
  EXPECT_GT(opaque_before, 0);
  for (int round = 0; round < 5; ++round) RefineCenters(colors, &centers);
  EXPECT_LT(SquaredError(colors, centers, nullptr), before * 95 / 100);
  EXPECT_EQ(opaque(), opaque_before);
}

TEST(PaletteSplitTest, SplittingBeatsEvenCutsOfSkewedColors) {
  // Many pixels in a small range and a few far away: cuts by count or by range would waste centers.
  WeightedColors colors;
  for (int16_t i = 0; i < 100; ++i) {
    colors.colors.push_back({i, i, i, kOpaqueAlpha});
    colors.counts.push_back(1000);
  }
  for (int16_t i = 0; i < 8; ++i) {
    colors.colors.push_back({static_cast<int16_t>(300 + 50 * i), 900, 100, kOpaqueAlpha});
    colors.counts.push_back(100);
  }
  const auto centers = SplitColors(colors, 12);
  const auto far = std::count_if(centers.begin(), centers.end(),
                                 [](const PaletteColor& c) { return c[1] > 500; });
  EXPECT_GE(far, 2);
  EXPECT_GE(12 - far, 5);
}

}  // namespace
}  // namespace pixpress
