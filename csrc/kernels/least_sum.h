#pragma once
// Where the sums of two rows of numbers are least. SIMD with run-time dispatch; the same on every
// target. Thread-safe; never blocks.

#include <cstddef>
#include <cstdint>

namespace pixpress {

struct LeastSum {
  uint32_t sum = ~uint32_t{0};
  uint32_t place = 0;  // The last one that has it.
};

// Of a[i] + b[i] for `count` places, one at least; no sum exceeds 32 bits.
LeastSum FindLeastSum(const uint32_t* a, const uint32_t* b, uint32_t count);

}  // namespace pixpress
