#include "codecs/deflate/cost.h"

#include <algorithm>
#include <bit>
#include <span>

namespace pixpress {
namespace {

constexpr uint32_t kHalfBit = 1u << (kDeflateCostBits - 1);
// About what a code of a block's header takes, and what it takes beside them, in bits.
constexpr uint64_t kSymbolHeaderBits = 3;
constexpr uint64_t kDistanceHeaderBits = 4;
constexpr uint64_t kHeaderBits = 80;
constexpr uint32_t kLogBits = 12;

// log2 of numbers below 2^kLogBits: one bit more for each squaring that carries.
struct Logs {
  constexpr Logs() {
    for (uint32_t value = 1; value < of.size(); ++value) {
      uint32_t log = static_cast<uint32_t>(std::bit_width(value)) - 1;
      uint64_t mantissa = (uint64_t{value} << 31) >> log;
      for (int bit = 0; bit < kDeflateCostBits; ++bit) {
        mantissa = mantissa * mantissa >> 31;
        const uint64_t carry = mantissa >> 32;
        mantissa >>= carry;
        log = log << 1 | static_cast<uint32_t>(carry);
      }
      of[value] = static_cast<uint16_t>(log);
    }
  }
  std::array<uint16_t, 1u << kLogBits> of = {};
};
constexpr Logs kLogs;

// Of 1 and more.
uint32_t Log2(uint32_t value) {
  const auto width = static_cast<uint32_t>(std::bit_width(value));
  if (width <= kLogBits) return kLogs.of[value];
  const uint32_t shift = width - kLogBits;
  return kLogs.of[value >> shift] + (shift << kDeflateCostBits);
}

uint32_t SumOf(std::span<const uint32_t> counts) {
  uint32_t sum = 0;
  for (const uint32_t count : counts) sum += count;
  return sum;
}

// Of a symbol that is used `count` times of so many.
uint32_t CostOf(uint32_t count, uint32_t log_of_all) {
  if (count == 0) return log_of_all + kHalfBit;
  return std::max(log_of_all - std::min(log_of_all, Log2(count)), kHalfBit);
}

uint64_t EntropyOf(std::span<const uint32_t> counts, uint64_t header_bits) {
  const uint32_t all = SumOf(counts);
  if (all == 0) return 0;
  uint64_t cost = uint64_t{all} * Log2(all);
  for (const uint32_t count : counts) {
    if (count == 0) continue;
    cost -= uint64_t{count} * Log2(count);
    cost += header_bits << kDeflateCostBits;
  }
  return cost;
}

}  // namespace

DeflateCosts::DeflateCosts(const DeflateCounts& counts) {
  const uint32_t of_symbols = Log2(std::max(SumOf(counts.symbols), 1u));
  for (size_t i = 0; i < literals.size(); ++i) literals[i] = CostOf(counts.symbols[i], of_symbols);
  for (uint32_t length = kShortestMatch; length <= kLongestMatch; ++length) {
    const size_t slot = kLengthSlots.of_length[length];
    lengths[length] = CostOf(counts.symbols[kFirstLengthSymbol + slot], of_symbols) +
                      (uint32_t{kLengthSlots.extra_bits[slot]} << kDeflateCostBits);
  }
  const uint32_t of_distances = Log2(std::max(SumOf(counts.distances), 1u));
  for (uint32_t slot = 0; slot < distances.size(); ++slot) {
    distances[slot] = CostOf(counts.distances[slot], of_distances) +
                      (DistanceExtraBits(slot) << kDeflateCostBits);
  }
}

uint64_t DeflateBlockCost(const DeflateCounts& counts) {
  return EntropyOf(counts.symbols, kSymbolHeaderBits) +
         EntropyOf(counts.distances, kDistanceHeaderBits) + (kHeaderBits << kDeflateCostBits);
}

}  // namespace pixpress
