#pragma once
// Rate-distortion quantization of the AC coefficients of one 8 x 8 block for run-length and Huffman
// coding. Integer arithmetic, no allocation. Thread-safe; never blocks.

#include <array>
#include <cstdint>
#include <span>

namespace pixpress {

// What each symbol (run of zeros << 4 | size of the value in bits) takes, the value's bits
// included, in 1 / kTrellisRateUnit of a bit. 0x00 ends a block and 0xF0 stands for 16 zeros.
inline constexpr uint32_t kTrellisRateUnit = 16;
using TrellisRates = std::array<uint16_t, 256>;

// A coefficient that is not 0 when it is rounded.
struct TrellisValue {
  static constexpr uint32_t kUnit = 256;
  uint32_t position = 0;   // In the order of coding, 1 to 63.
  uint32_t magnitude = 0;  // In 1 / kUnit of a step, at most 2^18.
  uint32_t level = 0;      // Rounded, 1 to 1023. ChooseTrellisLevels lowers it, to 0 at the least.
};

// What a squared error of a step costs, in 1 / kTrellisWeightUnit of a bit; at most 2^16.
inline constexpr uint32_t kTrellisWeightUnit = 64;

// Choose the levels with the least sum of bits and weighted squared errors. Each value may become
// 0 or keep its level, and one whose level takes a bit less when it is lowered by one may be that.
// There are at most 63 values, in rising order of position. Of equal sums the first one found wins,
// which depends on nothing but the arguments.
void ChooseTrellisLevels(const TrellisRates& rates, uint32_t weight,
                         std::span<TrellisValue> values);

}  // namespace pixpress
