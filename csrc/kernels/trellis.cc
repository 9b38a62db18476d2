#include "kernels/trellis.h"

#include <algorithm>
#include <bit>

namespace pixpress {
namespace {

// Costs are in bits of this many parts, which squared errors times weights are in too.
constexpr uint64_t kBit = uint64_t{TrellisValue::kUnit} * TrellisValue::kUnit * kTrellisWeightUnit;
constexpr uint64_t kRateUnit = kBit / kTrellisRateUnit;
constexpr int64_t kNever = INT64_MAX / 2;
constexpr uint32_t kEndOfBlock = 0x00, kZeroRun = 0xF0;

// The cheapest way that ends with a value that is kept.
struct State {
  int64_t cost;    // Of everything up to it, less what zeros from the start to it would cost.
  int64_t least;   // Of this state's and all earlier ones' costs.
  int64_t zeroed;  // What zeros cost from the start up to it and with it.
  uint32_t position;
  uint32_t level;
  uint32_t previous;
};

int64_t ErrorCost(uint32_t weight, uint32_t a, uint32_t b) {
  const uint64_t error = a > b ? a - b : b - a;
  return static_cast<int64_t>(error * error * weight);
}

class Search {
 public:
  Search(const TrellisRates& rates, uint32_t weight) : rates_(rates), weight_(weight) {
    states_[0] = {};
  }

  void Run(std::span<TrellisValue> values) {
    for (uint32_t i = 0; i < values.size(); ++i) Extend(values[i], i + 1);
    uint32_t best = FindEnd(static_cast<uint32_t>(values.size()));
    for (uint32_t i = static_cast<uint32_t>(values.size()); i > 0; --i) {
      const bool is_kept = i == best;
      values[i - 1].level = is_kept ? states_[i].level : 0;
      if (is_kept) best = states_[i].previous;
    }
  }

 private:
  int64_t Bits(uint32_t symbol) const { return static_cast<int64_t>(rates_[symbol] * kRateUnit); }
  int64_t RunBits(uint32_t run, uint32_t size) const {
    return Bits((run & 15) << 4 | size) + static_cast<int64_t>(run >> 4) * Bits(kZeroRun);
  }

  // Add state `i`: the value is kept, at its level or a lower one.
  void Extend(const TrellisValue& value, uint32_t i) {
    State& state = states_[i];
    state.position = value.position;
    const int64_t before = states_[i - 1].zeroed;
    state.zeroed = before + ErrorCost(weight_, value.magnitude, 0);
    state.cost = kNever;
    Try(value, value.level, i);
    const bool is_power = (value.level & (value.level - 1)) == 0;
    if (value.level > 1 && is_power) Try(value, value.level - 1, i);
    state.cost += before - state.zeroed;
    state.least = std::min(states_[i - 1].least, state.cost);
  }
  void Try(const TrellisValue& value, uint32_t level, uint32_t i) {
    State& state = states_[i];
    const int64_t own = ErrorCost(weight_, value.magnitude, level * TrellisValue::kUnit);
    const auto size = static_cast<uint32_t>(std::bit_width(level));
    for (uint32_t j = i; j-- > 0;) {
      // No earlier state can be better than the least of them.
      if (states_[j].least + own >= state.cost) break;
      const uint32_t run = value.position - states_[j].position - 1;
      const int64_t cost = states_[j].cost + own + RunBits(run, size);
      if (cost >= state.cost) continue;
      state.cost = cost;
      state.level = level;
      state.previous = j;
    }
  }
  uint32_t FindEnd(uint32_t count) const {
    uint32_t best = 0;
    int64_t best_cost = kNever;
    for (uint32_t i = 0; i <= count; ++i) {
      const int64_t end = states_[i].position == 63 ? 0 : Bits(kEndOfBlock);
      if (states_[i].cost + end >= best_cost) continue;
      best_cost = states_[i].cost + end;
      best = i;
    }
    return best;
  }

  const TrellisRates& rates_;
  const uint32_t weight_;
  State states_[64];  // Filled as far as there are values, after that of none.
};

}  // namespace

void ChooseTrellisLevels(const TrellisRates& rates, uint32_t weight,
                         std::span<TrellisValue> values) {
  Search(rates, weight).Run(values);
}

}  // namespace pixpress
