#include "kernels/dc_trellis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <random>
#include <vector>

namespace pixpress {
namespace {

using Chain = std::vector<DcTrellisValue>;

// Larger differences take more, in steps that differ.
DcTrellisRates PlausibleRates() {
  DcTrellisRates rates;
  for (uint32_t size = 0; size < rates.size(); ++size) {
    rates[size] = size > 11 ? 1 << 20 : 30 + 19 * size + (size * 7 % 5) * 4;
  }
  return rates;
}

// The sum that is to be the least, counted in the plainest way, in bits.
double Cost(const DcTrellisRates& rates, uint32_t weight, int32_t before, const Chain& chain,
            const Chain& rounded) {
  double bits = 0;
  for (size_t i = 0; i < chain.size(); ++i) {
    const int32_t difference = chain[i].level - before;
    bits += double{1} * rates[std::bit_width(static_cast<uint32_t>(std::abs(difference)))] /
            kTrellisRateUnit;
    const double exact = rounded[i].level + double{1} * rounded[i].error / DcTrellisValue::kUnit;
    bits += (exact - chain[i].level) * (exact - chain[i].level) * weight / kTrellisWeightUnit;
    before = chain[i].level;
  }
  return bits;
}

// Of all choices of one less, the level itself and one more.
double LeastCost(const DcTrellisRates& rates, uint32_t weight, int32_t before, Chain* chain,
                 const Chain& rounded, size_t from = 0) {
  if (from == chain->size()) return Cost(rates, weight, before, *chain, rounded);
  double least = 1e300;
  for (const int change : {-1, 0, 1}) {
    (*chain)[from].level = static_cast<int16_t>(rounded[from].level + change);
    least = std::min(least, LeastCost(rates, weight, before, chain, rounded, from + 1));
  }
  return least;
}

Chain RandomChain(std::mt19937& random, size_t length, int spread) {
  Chain chain;
  int level = static_cast<int>(random() % 200) - 100;
  for (size_t i = 0; i < length; ++i) {
    level += static_cast<int>(random() % (2 * spread + 1)) - spread;
    const int error = static_cast<int>(random() % 17) - 8;
    chain.push_back({static_cast<int16_t>(level), static_cast<int8_t>(error)});
  }
  return chain;
}

TEST(DcTrellisTest, TheCostIsTheLeastOfAllChoices) {
  std::mt19937 random(1);
  const DcTrellisRates rates = PlausibleRates();
  size_t changed = 0;
  for (int round = 0; round < 2000; ++round) {
    const Chain rounded = RandomChain(random, 1 + random() % 6, 1 + static_cast<int>(random() % 9));
    const auto weight = static_cast<uint32_t>(random() % (20 * kTrellisWeightUnit));
    const int32_t before = rounded[0].level + static_cast<int32_t>(random() % 9) - 4;
    Chain chosen = rounded, tried = rounded;
    ChooseDcTrellisLevels(rates, weight, before, chosen);
    ASSERT_DOUBLE_EQ(Cost(rates, weight, before, chosen, rounded),
                     LeastCost(rates, weight, before, &tried, rounded));
    for (size_t i = 0; i < rounded.size(); ++i) changed += chosen[i].level != rounded[i].level;
  }
  EXPECT_GT(changed, 500u);
}

TEST(DcTrellisTest, ErrorsThatCostMuchChangeNothing) {
  std::mt19937 random(2);
  Chain rounded = RandomChain(random, 500, 30);
  // A tie may go either way.
  for (DcTrellisValue& value : rounded) value.error = std::clamp<int8_t>(value.error, -7, 7);
  Chain chosen = rounded;
  ChooseDcTrellisLevels(PlausibleRates(), 1 << 16, 0, chosen);
  for (size_t i = 0; i < rounded.size(); ++i) EXPECT_EQ(chosen[i].level, rounded[i].level);
}

TEST(DcTrellisTest, AnAlmostFlatChainBecomesFlat) {
  Chain chain(40, {.level = 10, .error = 0});
  for (size_t i = 0; i < chain.size(); i += 2) chain[i] = {.level = 11, .error = -7};
  ChooseDcTrellisLevels(PlausibleRates(), 6 * kTrellisWeightUnit, 10, chain);
  for (const DcTrellisValue& value : chain) EXPECT_EQ(value.level, 10);
}

TEST(DcTrellisTest, LevelsAtTheLimitsStayWithinThem) {
  Chain chain;
  for (int i = 0; i < 30; ++i) {
    chain.push_back({static_cast<int16_t>(i % 3 == 0 ? 2047 : i % 3 == 1 ? 2046 : 2047), 8});
  }
  for (int i = 0; i < 30; ++i) chain.push_back({static_cast<int16_t>(i < 1 ? 0 : -2047), -8});
  ChooseDcTrellisLevels(PlausibleRates(), kTrellisWeightUnit, 0, chain);
  int32_t before = 0;
  for (const DcTrellisValue& value : chain) {
    EXPECT_LE(std::abs(value.level), 2047);
    EXPECT_LE(std::abs(value.level - before), 2047);
    before = value.level;
  }
}

TEST(DcTrellisTest, AChainOfNothingIsTaken) {
  ChooseDcTrellisLevels(PlausibleRates(), kTrellisWeightUnit, 5, {});
}

}  // namespace
}  // namespace pixpress
