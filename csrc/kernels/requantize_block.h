#pragma once
// From the coefficients of 8 x 8 blocks in steps of one size to steps of another. SIMD with
// run-time dispatch; integer arithmetic, the same on every target. Thread-safe; never blocks.

#include <array>
#include <cstdint>

namespace pixpress {

// By position in the block, row by row: what a magnitude is multiplied by, in 65536ths, at most
// 65536. 0 at DC, which is left out.
using BlockMultipliers = std::array<uint32_t, 64>;
// A tie goes to the smaller magnitude.
inline constexpr uint32_t kRequantizeRounding = (1 << 15) - 1;

// Rounded AC coefficients, row by row, negative ones less 1.
struct RequantizedBlock {
  std::array<int16_t, 64> values;
  uint64_t nonzero;  // A bit for each position.
};

// False if the magnitude of a coefficient is above 1023.
bool RequantizeBlock(const int16_t* coefficients, const BlockMultipliers& multipliers,
                     RequantizedBlock* out);

}  // namespace pixpress
