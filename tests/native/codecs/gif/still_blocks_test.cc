#include "codecs/gif/still_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace pixpress {
namespace {

constexpr uint32_t kWidth = 70;
constexpr uint32_t kHeight = 50;
using Pixels = std::vector<uint32_t>;

uint32_t Gray(uint32_t value) { return 0xFF000000 | value << 16 | value << 8 | value; }

GifLoss LossOf(int quality) {
  EncodeOptions options;
  options.quality = quality;
  return GifLoss(options);
}

// What is left of `next` after `shown`.
Pixels Kept(const Pixels& shown, Pixels next, int quality) {
  KeepStillBlocks(LossOf(quality), {shown.data(), kWidth, kHeight}, {0, 0, kWidth, kHeight},
                  next.data());
  return next;
}

Pixels Noise(uint32_t seed, uint32_t least, uint32_t range) {
  std::mt19937 random(seed);
  Pixels pixels(kWidth * kHeight);
  for (uint32_t& pixel : pixels) pixel = Gray(least + random() % range);
  return pixels;
}

// Stripes five pixels wide.
Pixels Stripes(uint32_t moved_px, uint32_t dark, uint32_t light) {
  Pixels pixels;
  for (uint32_t i = 0; i < kWidth * kHeight; ++i) {
    pixels.push_back(Gray((i % kWidth + moved_px) / 5 % 2 == 0 ? dark : light));
  }
  return pixels;
}

TEST(GifStillBlocksTest, NoiseBeforeAStillCameraIsNotDrawnAgain) {
  const Pixels shown = Noise(1, 100, 12);
  EXPECT_EQ(Kept(shown, Noise(2, 100, 12), /*quality=*/50), shown);
}

TEST(GifStillBlocksTest, LittleChangesOfBrightnessAreNotDrawn) {
  const Pixels shown(kWidth * kHeight, Gray(100));
  EXPECT_EQ(Kept(shown, Pixels(kWidth * kHeight, Gray(101)), /*quality=*/50), shown);
}

TEST(GifStillBlocksTest, WhatMovesIsDrawnWhereItIsNearAsWell) {
  // Ten gray levels are within the 15 of this quality.
  const Pixels next = Stripes(2, 100, 110);
  EXPECT_EQ(Kept(Stripes(0, 100, 110), next, /*quality=*/50), next);
}

TEST(GifStillBlocksTest, WhatIsKeptIsWithinTheLossAndTheRestIsAsItWas) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const int quality = 1 + static_cast<int>(seed * 13 % 79);
    Pixels shown = Noise(seed, 60, 1 + seed * 3);
    Pixels next = Noise(seed + 1000, 60, 1 + seed * 3);
    for (size_t i = seed; i < next.size(); i += 37) (i % 2 == 0 ? shown : next)[i] = 0;
    const Pixels kept = Kept(shown, next, quality);
    const GifLoss loss = LossOf(quality);
    for (size_t i = 0; i < next.size(); ++i) {
      if (kept[i] == next[i]) continue;
      ASSERT_EQ(kept[i], shown[i]) << "seed " << seed;
      ASSERT_NE(next[i], 0u) << "seed " << seed;
      ASSERT_NE(shown[i], 0u) << "seed " << seed;
      ASSERT_TRUE(loss.Allows(next[i], shown[i])) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace pixpress
