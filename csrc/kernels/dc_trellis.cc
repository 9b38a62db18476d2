#include "kernels/dc_trellis.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace pixpress {
namespace {

// A level may be one less, stay, or be one more.
constexpr int kChoices = 3;
constexpr int32_t kMostLevel = 2047;
constexpr int64_t kNever = INT64_MAX / 2;
// Costs are in bits of this many parts, which squared errors times weights are in too.
constexpr int64_t kBit =
    int64_t{DcTrellisValue::kUnit} * DcTrellisValue::kUnit * kTrellisWeightUnit;

using Costs = std::array<int64_t, kChoices>;

int64_t RateCost(const DcTrellisRates& rates, int32_t difference) {
  const auto size =
      static_cast<size_t>(std::bit_width(static_cast<uint32_t>(std::abs(difference))));
  return rates[size] * (kBit / kTrellisRateUnit);
}

int64_t ErrorCost(uint32_t weight, const DcTrellisValue& value, int change) {
  const int64_t error = value.error - change * DcTrellisValue::kUnit;
  return std::abs(value.level + change) > kMostLevel ? kNever : error * error * weight;
}

}  // namespace

void ChooseDcTrellisLevels(const DcTrellisRates& rates, uint32_t weight, int32_t before,
                           std::span<DcTrellisValue> chain) {
  // Of the cheapest way to each choice of the block before; there is one way to the first block.
  Costs costs = {kNever, 0, kNever};
  for (DcTrellisValue& value : chain) {
    Costs now;
    value.steps = 0;
    for (int to = 0; to < kChoices; ++to) {
      int best = 0;
      int64_t least = kNever;
      for (int from = 0; from < kChoices; ++from) {
        const int32_t difference = value.level + to - (before + from);
        const int64_t cost = std::min(kNever, costs[from] + RateCost(rates, difference));
        if (cost >= least) continue;
        least = cost;
        best = from;
      }
      now[to] = std::min(kNever, least + ErrorCost(weight, value, to - 1));
      value.steps |= static_cast<uint8_t>(best << (2 * to));
    }
    costs = now;
    before = value.level;
  }
  auto choice = static_cast<int>(std::ranges::min_element(costs) - costs.begin());
  for (size_t i = chain.size(); i-- > 0;) {
    DcTrellisValue& value = chain[i];
    value.level = static_cast<int16_t>(value.level + choice - 1);
    choice = value.steps >> (2 * choice) & 3;
  }
}

}  // namespace pixpress
