#include "kernels/trellis.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <random>
#include <vector>

namespace pixpress {
namespace {

constexpr uint32_t kUnit = TrellisValue::kUnit;

// Codes of plausible lengths: longer for longer runs and larger values.
TrellisRates PlausibleRates() {
  TrellisRates rates = {};
  for (uint32_t run = 0; run < 16; ++run) {
    for (uint32_t size = 1; size <= 10; ++size) {
      const uint32_t bits = std::min(2 + run + 2 * (size - 1), 16u) + size;
      const uint32_t parts = (run * 5 + size * 3) % kTrellisRateUnit;
      rates[run << 4 | size] = static_cast<uint16_t>(bits * kTrellisRateUnit - parts);
    }
  }
  rates[0x00] = 4 * kTrellisRateUnit - 3;
  rates[0xF0] = 11 * kTrellisRateUnit + 5;
  return rates;
}

// The sum that is to be the least, counted in the plainest way, in bits.
double Cost(const TrellisRates& rates, uint32_t weight, const std::vector<TrellisValue>& values) {
  double bits = 0;
  uint32_t parts = 0, last = 0;
  for (const TrellisValue& value : values) {
    const double error = (double{1} * value.magnitude - double{1} * value.level * kUnit) / kUnit;
    bits += error * error * weight / kTrellisWeightUnit;
    if (value.level == 0) continue;
    uint32_t run = value.position - last - 1;
    for (; run > 15; run -= 16) parts += rates[0xF0];
    parts += rates[run << 4 | static_cast<uint32_t>(std::bit_width(value.level))];
    last = value.position;
  }
  parts += last == 63 ? 0 : rates[0x00];
  return bits + double{1} * parts / kTrellisRateUnit;
}

// Of all choices of 0, one less and the level itself.
double LeastCost(const TrellisRates& rates, uint32_t weight, std::vector<TrellisValue> values,
                 size_t from = 0) {
  if (from == values.size()) return Cost(rates, weight, values);
  const uint32_t level = values[from].level;
  double least = LeastCost(rates, weight, values, from + 1);
  for (const uint32_t lower : {level - 1, 0u}) {
    values[from].level = lower;
    least = std::min(least, LeastCost(rates, weight, values, from + 1));
  }
  return least;
}

std::vector<TrellisValue> RandomValues(std::mt19937& random, size_t most, uint32_t largest) {
  std::vector<TrellisValue> values;
  const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  const uint32_t sparsity = 1 + below(12);
  for (uint32_t k = 1 + below(4); k < 64 && values.size() < most; k += 1 + below(sparsity)) {
    const uint32_t level = 1 + below(1 + below(largest));
    const uint32_t magnitude = level * kUnit - kUnit / 2 + 1 + below(kUnit);
    values.push_back({k, magnitude, level});
  }
  return values;
}

std::vector<TrellisValue> Chosen(const TrellisRates& rates, uint32_t weight,
                                 std::vector<TrellisValue> values) {
  ChooseTrellisLevels(rates, weight, values);
  return values;
}

TEST(TrellisTest, TheCostIsTheLeastOfAllChoices) {
  std::mt19937 random(1);
  const TrellisRates rates = PlausibleRates();
  for (int round = 0; round < 4000; ++round) {
    const auto values = RandomValues(random, 7, 5);
    const uint32_t weight = 1 + static_cast<uint32_t>(random() % (40 * kTrellisWeightUnit));
    ASSERT_DOUBLE_EQ(Cost(rates, weight, Chosen(rates, weight, values)),
                     LeastCost(rates, weight, values));
  }
}

TEST(TrellisTest, NoBlockCostsMoreThanRounded) {
  std::mt19937 random(2);
  const TrellisRates rates = PlausibleRates();
  for (int round = 0; round < 4000; ++round) {
    const auto values = RandomValues(random, 63, 1023);
    const uint32_t weight = static_cast<uint32_t>(random() % (1 << 16));
    const auto chosen = Chosen(rates, weight, values);
    ASSERT_LE(Cost(rates, weight, chosen), Cost(rates, weight, values));
    for (size_t i = 0; i < values.size(); ++i) ASSERT_LE(chosen[i].level, values[i].level);
  }
}

TEST(TrellisTest, TheSameBlockIsAlwaysDecidedInTheSameWay) {
  std::mt19937 random(3);
  const TrellisRates rates = PlausibleRates();
  const auto values = RandomValues(random, 63, 4);
  const auto levels = [&] {
    std::vector<uint32_t> found;
    for (const TrellisValue& value : Chosen(rates, 600, values)) found.push_back(value.level);
    return found;
  };
  const auto first = levels();
  for (int round = 0; round < 3; ++round) {
    Chosen(rates, 900, RandomValues(random, 63, 9));
    EXPECT_EQ(levels(), first);
  }
}

TEST(TrellisTest, ErrorsThatCostNothingLeaveNothing) {
  std::mt19937 random(4);
  for (const TrellisValue& value : Chosen(PlausibleRates(), 0, RandomValues(random, 63, 9))) {
    EXPECT_EQ(value.level, 0u);
  }
}

TEST(TrellisTest, ErrorsThatCostMuchChangeNothing) {
  std::mt19937 random(5);
  const auto values = RandomValues(random, 63, 1023);
  const auto chosen = Chosen(PlausibleRates(), 1 << 16, values);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(chosen[i].level, values[i].level);
}

TEST(TrellisTest, TheLastCoefficientNeedsNoEndOfTheBlock) {
  TrellisRates rates = PlausibleRates();
  // Alone it costs three runs of zeros and its own code; without an end it is worth it.
  const std::vector<TrellisValue> values = {{1, 2 * kUnit, 2}, {63, kUnit, 1}};
  const uint32_t weight = 30 * kTrellisWeightUnit;
  rates[0x00] = 15 * kTrellisRateUnit;
  EXPECT_EQ(Chosen(rates, weight, values)[1].level, 0u);
  rates[0x00] = 40 * kTrellisRateUnit;
  EXPECT_EQ(Chosen(rates, weight, values)[1].level, 1u);
}

TEST(TrellisTest, ValuesAtTheLimitsAreTaken) {
  std::vector<TrellisValue> values;
  for (uint32_t k = 1; k < 64; ++k) values.push_back({k, 1u << 18, 1023});
  for (const TrellisValue& value : Chosen(PlausibleRates(), 1 << 16, values)) {
    EXPECT_EQ(value.level, 1023u);
  }
  EXPECT_TRUE(Chosen(PlausibleRates(), 1 << 16, {}).empty());
}

}  // namespace
}  // namespace pixpress
