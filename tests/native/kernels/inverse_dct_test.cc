#include "kernels/inverse_dct.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

using Block = std::array<int16_t, 64>;
constexpr size_t kStride = 24;
constexpr uint8_t kUntouched = 77;

Block RandomBlock(std::mt19937& random, int most, uint32_t one_of) {
  Block block = {};
  for (int16_t& value : block) {
    if (random() % one_of == 0) {
      value = static_cast<int16_t>(static_cast<int>(random() % (2 * most + 1)) - most);
    }
  }
  return block;
}

// By the definition of the transform, then averaged.
std::vector<double> Reference(const Block& coefficients, const Block& steps, int side) {
  const auto scale = [](int k) { return k == 0 ? std::sqrt(0.125) : 0.5; };
  const auto wave = [](int x, int k) { return std::cos((2 * x + 1) * k * std::numbers::pi / 16); };
  std::vector<double> samples(side * side);
  const int square = 8 / side;
  for (int i = 0; i < 64; ++i) {
    const int y = i / 8, x = i % 8;
    double sum = 0;
    for (int k = 0; k < 64; ++k) {
      sum += coefficients[k] * steps[k] * scale(k / 8) * scale(k % 8) * wave(y, k / 8) *
             wave(x, k % 8);
    }
    samples[y / square * side + x / square] += (sum + 128) / (square * square);
  }
  return samples;
}

std::vector<uint8_t> Transform(int side, Block coefficients, const Block& steps) {
  std::vector<uint8_t> out(8 * kStride, kUntouched);
  InverseDct(side, coefficients.data(), steps.data(), out.data(), kStride);
  EXPECT_TRUE(coefficients == Block());
  return out;
}

TEST(InverseDct, EverySideIsTheAverageOfTheExactTransformOnEveryTarget) {
  ForEachTarget([](const char* target) {
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
      Block steps;
      for (int16_t& step : steps) step = static_cast<int16_t>(1 + random() % 12);
      const Block block = RandomBlock(random, 40, 1 + round % 10);
      for (const int side : {2, 4, 8}) {
        const std::vector<double> expected = Reference(block, steps, side);
        const std::vector<uint8_t> out = Transform(side, block, steps);
        for (int i = 0; i < side * side; ++i) {
          const double sample = std::clamp(expected[i], 0.0, 255.0);
          ASSERT_NEAR(out[i / side * kStride + i % side], sample, 0.75)
              << target << " side " << side << " sample " << i;
        }
      }
    }
  });
}

TEST(InverseDct, NothingIsWrittenBesideTheBlock) {
  std::mt19937 random(2);
  const Block block = RandomBlock(random, 40, 1);
  Block steps;
  steps.fill(3);
  for (const size_t side : {2, 4, 8}) {
    const std::vector<uint8_t> out = Transform(static_cast<int>(side), block, steps);
    for (size_t i = 0; i < out.size(); ++i) {
      const bool is_beside = i % kStride >= side || i / kStride >= side;
      ASSERT_TRUE(!is_beside || out[i] == kUntouched) << i;
    }
  }
}

TEST(InverseDct, ExtremesAreTheSameOnEveryTarget) {
  std::vector<std::vector<uint8_t>> first;
  ForEachTarget([&](const char* target) {
    std::mt19937 random(3);
    std::vector<std::vector<uint8_t>> all;
    for (int round = 0; round < 300; ++round) {
      const Block block = RandomBlock(random, 32767, 1 + round % 5);
      const Block steps = RandomBlock(random, 32767, 1);
      for (const int side : {2, 4, 8}) all.push_back(Transform(side, block, steps));
    }
    if (first.empty()) first = all;
    EXPECT_TRUE(all == first) << target;
  });
}

TEST(InverseDct, ABlockOfOnlyDcIsFlatAndAsTheShortcutSays) {
  for (int dc = -2047; dc <= 2047; ++dc) {
    for (const int16_t step : {1, 3, 16, 255}) {
      Block block = {}, steps;
      block[0] = static_cast<int16_t>(dc);
      steps.fill(step);
      // Beyond 16 bits only damaged files get.
      if (std::abs(dc * step) > 32767) continue;
      const uint8_t flat = InverseDctFlat(dc, step);
      for (const int side : {2, 4, 8}) {
        const std::vector<uint8_t> out = Transform(side, block, steps);
        for (int i = 0; i < side * side; ++i) {
          ASSERT_EQ(out[i / side * kStride + i % side], flat) << dc << " x " << step;
        }
      }
    }
  }
}

}  // namespace
}  // namespace pixpress
