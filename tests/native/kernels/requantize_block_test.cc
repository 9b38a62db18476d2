#include "kernels/requantize_block.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

using Block = std::array<int16_t, 64>;

void ExpectIsRounded(const Block& block, const BlockMultipliers& multipliers, const char* target) {
  RequantizedBlock made;
  ASSERT_TRUE(RequantizeBlock(block.data(), multipliers, &made)) << target;
  for (size_t i = 1; i < 64; ++i) {
    const auto magnitude = static_cast<uint32_t>(std::abs(block[i]));
    const auto level =
        static_cast<int>((uint64_t{magnitude} * multipliers[i] + kRequantizeRounding) >> 16);
    EXPECT_EQ(made.nonzero >> i & 1, level != 0 ? 1u : 0u) << target << " at " << i;
    if (level == 0) continue;
    EXPECT_EQ(made.values[i], block[i] < 0 ? ~level : level) << target << " at " << i;
  }
  EXPECT_EQ(made.nonzero & 1, 0u) << target;
}

TEST(RequantizeBlock, RoundsEveryMagnitudeOnEveryTarget) {
  ForEachTarget([](const char* target) {
    std::mt19937 random(1);
    for (int magnitude = 0; magnitude <= 1023; ++magnitude) {
      Block block;
      BlockMultipliers multipliers;
      for (size_t i = 0; i < 64; ++i) {
        block[i] = static_cast<int16_t>(random() % 2 == 0 ? magnitude : -magnitude);
        multipliers[i] = 65536 / (1 + random() % 255);
      }
      ExpectIsRounded(block, multipliers, target);
    }
  });
}

TEST(RequantizeBlock, TiesGoToTheSmallerMagnitude) {
  ForEachTarget([](const char* target) {
    Block block = {0, 1, -1, 3, -3, 5};
    BlockMultipliers multipliers;
    multipliers.fill(32768);
    RequantizedBlock made;
    ASSERT_TRUE(RequantizeBlock(block.data(), multipliers, &made)) << target;
    EXPECT_EQ(made.nonzero, 0b111000u) << target;
    EXPECT_EQ(made.values[3], 1) << target;
    EXPECT_EQ(made.values[4], ~1) << target;
    EXPECT_EQ(made.values[5], 2) << target;
  });
}

TEST(RequantizeBlock, RefusesWhatTenBitsCannotHoldButNotDc) {
  ForEachTarget([](const char* target) {
    BlockMultipliers multipliers;
    multipliers.fill(65536);
    multipliers[0] = 0;
    RequantizedBlock made;
    for (const int value : {1024, -1024, 2047, 32767, -32768}) {
      for (size_t i = 0; i < 64; ++i) {
        Block block = {};
        block[i] = static_cast<int16_t>(value);
        EXPECT_EQ(RequantizeBlock(block.data(), multipliers, &made), i == 0)
            << target << ": " << value << " at " << i;
      }
    }
  });
}

}  // namespace
}  // namespace pixpress
