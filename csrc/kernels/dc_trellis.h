#pragma once
// Rate-distortion quantization of the DC coefficients of a chain of blocks, each of which is coded
// as the difference to the one before. Integer arithmetic, no allocation. Thread-safe; never
// blocks.

#include <array>
#include <cstdint>
#include <span>

#include "kernels/trellis.h"

namespace pixpress {

// What a difference takes by its size in bits, its own bits included, in 1 / kTrellisRateUnit of a
// bit.
using DcTrellisRates = std::array<uint32_t, 14>;

struct DcTrellisValue {
  static constexpr int32_t kUnit = 16;
  int16_t level = 0;  // Rounded, of at most 2047. ChooseDcTrellisLevels changes it by 1 at most.
  int8_t error = 0;   // What is exact less the level, in 1 / kUnit of a step, -8 to 8.
  uint8_t steps = 0;  // Only ChooseDcTrellisLevels reads it.
};

// Choose the levels with the least sum of bits and weighted squared errors. The first difference is
// that to `before`. `weight` is what a squared error of a step costs, in 1 / kTrellisWeightUnit of
// a bit, at most 2^16. Of equal sums the same one wins each time.
void ChooseDcTrellisLevels(const DcTrellisRates& rates, uint32_t weight, int32_t before,
                           std::span<DcTrellisValue> chain);

}  // namespace pixpress
