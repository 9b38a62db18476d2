#include "kernels/forward_dct.h"

#include <gtest/gtest.h>

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
constexpr size_t kColumn = 5;

size_t At(size_t i) { return i / 8 * kStride + kColumn + i % 8; }

Block Transform(const std::vector<uint8_t>& samples) {
  std::array<const uint8_t*, 8> rows;
  for (size_t y = 0; y < 8; ++y) rows[y] = samples.data() + y * kStride;
  Block coefficients;
  ForwardDct(rows.data(), kColumn, coefficients.data());
  return coefficients;
}

// By the definition of the transform, in eighths.
std::array<double, 64> Reference(const std::vector<uint8_t>& samples) {
  const auto scale = [](size_t k) { return k == 0 ? std::sqrt(0.125) : 0.5; };
  const auto wave = [](size_t x, size_t k) {
    return std::cos(static_cast<double>((2 * x + 1) * k) * std::numbers::pi / 16);
  };
  std::array<double, 64> coefficients = {};
  for (size_t k = 0; k < 64; ++k) {
    for (size_t i = 0; i < 64; ++i) {
      coefficients[k] += (samples[At(i)] - 128) * 8 * scale(k / 8) * scale(k % 8) *
                         wave(i / 8, k / 8) * wave(i % 8, k % 8);
    }
  }
  return coefficients;
}

void ExpectIsExact(const std::vector<uint8_t>& samples, const char* target) {
  const Block coefficients = Transform(samples);
  const std::array<double, 64> reference = Reference(samples);
  for (size_t k = 0; k < 64; ++k) {
    ASSERT_NEAR(coefficients[k], reference[k], 2.5) << target << " at " << k;
  }
}

TEST(ForwardDct, IsTheExactTransformOnEveryTarget) {
  ForEachTarget([](const char* target) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
      std::vector<uint8_t> samples(8 * kStride);
      for (uint8_t& sample : samples) sample = static_cast<uint8_t>(random());
      ExpectIsExact(samples, target);
    }
  });
}

TEST(ForwardDct, TheLargestCoefficientsFit) {
  ForEachTarget([](const char* target) {
    for (size_t k = 0; k < 64; ++k) {
      for (const bool is_negative : {false, true}) {
        std::vector<uint8_t> samples(8 * kStride);
        for (size_t i = 0; i < 64; ++i) {
          const auto wave = [&](size_t x, size_t f) {
            return std::cos(static_cast<double>((2 * x + 1) * f) * std::numbers::pi / 16);
          };
          const bool is_high = wave(i / 8, k / 8) * wave(i % 8, k % 8) > 0;
          samples[At(i)] = is_high != is_negative ? 255 : 0;
        }
        ExpectIsExact(samples, target);
      }
    }
  });
}

TEST(ForwardDct, IsTheSameOnEveryTarget) {
  std::vector<Block> first;
  ForEachTarget([&](const char* target) {
    std::mt19937 random(2);
    for (size_t round = 0; round < 100; ++round) {
      std::vector<uint8_t> samples(8 * kStride);
      for (uint8_t& sample : samples) sample = static_cast<uint8_t>(random() % 2 == 0 ? 0 : 255);
      const Block block = Transform(samples);
      if (first.size() <= round) first.push_back(block);
      ASSERT_TRUE(block == first[round]) << target;
    }
  });
}

}  // namespace
}  // namespace pixpress
