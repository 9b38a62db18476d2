#pragma once
// The five filters of PNG's rows, and what tells which of them will compress best. SIMD with
// run-time dispatch; integer arithmetic, the same on every target. Thread-safe; never blocks.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pixpress {

// As stored in front of a row.
enum class PngRowFilter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth };
inline constexpr uint32_t kPngRowFilters = 5;

// Filter `bytes` bytes. `pixel_bytes` (1 to 8) is the distance to the left neighbor; `row` and `up`
// (zeros above the first row) have that many zero bytes before them. `out` overlaps neither.
void FilterPngRow(PngRowFilter filter, const uint8_t* row, const uint8_t* up, size_t bytes,
                  size_t pixel_bytes, uint8_t* out);

// The sum of absolute values of bytes taken as signed: small for rows near zero.
uint64_t SumOfMagnitudes(const uint8_t* row, size_t bytes);

// Costs that need a table each; not thread-safe, make one per thread. Lower compresses better.
class PngRowCost {
 public:
  PngRowCost() : seen_(65536 / 64) {}

  // How many different pairs of neighboring bytes the row has.
  uint32_t DistinctBigrams(const uint8_t* row, size_t bytes);

  // Bits that an ideal code takes for the row's pairs of neighboring bytes, in 1/256 bit.
  uint64_t BigramEntropy(const uint8_t* row, size_t bytes);

  // Bits that an ideal order-0 code takes for the row, in 1/256 bit. Rows below 2^32 bytes.
  static uint64_t Entropy(const uint8_t* row, size_t bytes);

 private:
  std::vector<uint64_t> seen_;   // A bit for each pair; all zero between calls.
  std::vector<uint32_t> pairs_;  // How many of each pair; made when needed, all zero between calls.
};

}  // namespace pixpress
