#include "kernels/fold_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <random>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

using Block = std::array<int16_t, 64>;
using Samples = std::array<std::array<double, 16>, 16>;

double Wave(size_t x, size_t k, size_t count) {
  const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(count));
  return scale * std::cos(static_cast<double>((2 * x + 1) * k) * std::numbers::pi /
                          static_cast<double>(2 * count));
}

// The samples of a block by its lower frequencies alone in the directions that are folded; mirrored
// as told.
void AddSamples(const Block& block, const FoldSteps& steps, bool folds_h, bool folds_v, size_t left,
                size_t top, bool mirrors_h, bool mirrors_v, Samples* to) {
  const size_t columns = folds_h ? 4 : 8, rows = folds_v ? 4 : 8;
  for (size_t y = 0; y < rows; ++y) {
    for (size_t x = 0; x < columns; ++x) {
      double sum = 0;
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < columns; ++j) {
          sum +=
              block[i * 8 + j] * steps.source[i * 8 + j] * Wave(y, i, rows) * Wave(x, j, columns);
        }
      }
      (*to)[top + (mirrors_v ? rows - 1 - y : y)][left + (mirrors_h ? columns - 1 - x : x)] = sum;
    }
  }
}

// By the definition: samples at half the resolution, and their transform in steps of the target.
std::array<double, 64> Reference(const BlockSquare& from, const FoldSteps& steps, bool folds_h,
                                 bool folds_v) {
  Samples samples = {};
  const auto add = [&](bool right, bool lower) {
    const int16_t* const row[2] = {lower ? from.lower_left : from.upper_left,
                                   lower ? from.lower_right : from.upper_right};
    const int16_t* const upper[2] = {from.upper_left, from.upper_right};
    const bool mirrors_v = lower && row[0] == nullptr;
    const bool mirrors_h = right && from.upper_right == nullptr;
    const int16_t* const own = (mirrors_v ? upper : row)[right && !mirrors_h];
    Block block;
    std::copy_n(own, 64, block.begin());
    AddSamples(block, steps, folds_h, folds_v, right ? 4 : 0, lower ? 4 : 0, mirrors_h, mirrors_v,
               &samples);
  };
  for (const bool lower : {false, true}) {
    for (const bool right : {false, true}) {
      if ((!lower || folds_v) && (!right || folds_h)) add(right, lower);
    }
  }
  // Half the resolution has half the weight in each direction.
  const double scale = (folds_h ? std::sqrt(0.5) : 1) * (folds_v ? std::sqrt(0.5) : 1);
  std::array<double, 64> made = {};
  for (size_t k = 0; k < 64; ++k) {
    for (size_t i = 0; i < 64; ++i) {
      made[k] += samples[i / 8][i % 8] * Wave(i / 8, k / 8, 8) * Wave(i % 8, k % 8, 8);
    }
    made[k] = made[k] / scale / 2 * (folds_h && folds_v ? 0.5 : 1) / steps.target[k];
  }
  return made;
}

class FoldBlocksTest : public testing::Test {
 protected:
  Block MakeBlock(int most) {
    Block block;
    for (int16_t& value : block) value = static_cast<int16_t>(random_() % (2 * most + 1) - most);
    return block;
  }
  FoldSteps MakeSteps() {
    FoldSteps steps;
    for (int32_t& step : steps.source) step = 1 + static_cast<int32_t>(random_() % 4);
    for (int32_t& step : steps.target) step = 1 + static_cast<int32_t>(random_() % 40);
    return steps;
  }
  std::mt19937 random_{1};
};

TEST_F(FoldBlocksTest, IsTheTransformOfHalvedSamplesOnEveryTarget) {
  ForEachTarget([&](const char* target) {
    for (int round = 0; round < 200; ++round) {
      const Block blocks[4] = {MakeBlock(60), MakeBlock(60), MakeBlock(60), MakeBlock(60)};
      const FoldSteps steps = MakeSteps();
      const bool folds_h = round % 3 != 0, folds_v = round % 3 != 1;
      BlockSquare from{.upper_left = blocks[0].data()};
      if (folds_h && round % 4 != 0) from.upper_right = blocks[1].data();
      if (folds_v && round % 5 != 0) from.lower_left = blocks[2].data();
      if (from.upper_right != nullptr && from.lower_left != nullptr) {
        from.lower_right = blocks[3].data();
      }
      Block made;
      FoldBlocks(from, folds_h, folds_v, MakeFoldFactors(steps), made.data());
      const std::array<double, 64> reference = Reference(from, steps, folds_h, folds_v);
      for (size_t k = 0; k < 64; ++k) {
        ASSERT_NEAR(made[k], reference[k], 0.5 + 0.3 / steps.target[k]) << target << " at " << k;
      }
    }
  });
}

TEST_F(FoldBlocksTest, IsTheSameOnEveryTarget) {
  const Block blocks[4] = {MakeBlock(2047), MakeBlock(2047), MakeBlock(40), MakeBlock(2047)};
  const BlockSquare from{blocks[0].data(), blocks[1].data(), blocks[2].data(), blocks[3].data()};
  FoldSteps steps = MakeSteps();
  steps.source[9] = 65535;
  for (const auto& [folds_h, folds_v] : {std::pair{true, true}, {true, false}, {false, true}}) {
    Block first;
    bool is_first = true;
    ForEachTarget([&](const char* target) {
      Block made;
      FoldBlocks(from, folds_h, folds_v, MakeFoldFactors(steps), made.data());
      if (is_first) first = made;
      is_first = false;
      EXPECT_EQ(made, first) << target;
    });
    EXPECT_EQ(std::ranges::count_if(first, [](int value) { return std::abs(value) > 1023; }), 0);
  }
}

// Sums and their halves by integers alone.
TEST_F(FoldBlocksTest, QuotientsAreExactHoweverLarge) {
  const auto rounded = [](int64_t value, int64_t step) {
    const int64_t level = std::min<int64_t>((std::abs(value) + step / 2 - 1) / step, 1023);
    return value < 0 ? -level : level;
  };
  for (int round = 0; round < 3000; ++round) {
    Block upper = MakeBlock(1 << 12), lower = MakeBlock(1 << 12);
    FoldSteps steps;
    for (int32_t& step : steps.source) step = 1 + static_cast<int32_t>(random_() % 4);
    for (int32_t& step : steps.target)
      step = 1 + static_cast<int32_t>(random_() >> (16 + random_() % 16));
    Block made;
    FoldBlocks({.upper_left = upper.data(), .lower_left = lower.data()}, false, true,
               MakeFoldFactors(steps), made.data());
    // Even rows are half of the sum, or the difference, of a row of each.
    for (size_t k = 0; k < 64; ++k) {
      if (k / 8 % 2 != 0) continue;
      const size_t from = k / 16 * 8 + k % 8;
      const int64_t sign = from / 8 % 2 == 0 ? 1 : -1;
      const int64_t sum = steps.source[from] * (upper[from] + sign * lower[from]);
      ASSERT_EQ(made[k], rounded(sum * 4, steps.target[k] * 8));
    }
  }
}

TEST_F(FoldBlocksTest, TiesGoToZero) {
  ForEachTarget([](const char* target) {
    // DC of the result is half the sum of the two.
    Block upper = {3}, lower = {2}, made;
    FoldSteps steps;
    steps.source.fill(1);
    steps.target.fill(5);
    FoldBlocks({.upper_left = upper.data(), .lower_left = lower.data()}, false, true,
               MakeFoldFactors(steps), made.data());
    EXPECT_EQ(made[0], 0) << target;
    upper[0] = 4;
    FoldBlocks({.upper_left = upper.data(), .lower_left = lower.data()}, false, true,
               MakeFoldFactors(steps), made.data());
    EXPECT_EQ(made[0], 1) << target;
  });
}

}  // namespace
}  // namespace pixpress
