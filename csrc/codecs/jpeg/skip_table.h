#pragma once
// Several AC symbols at a time, for blocks of which only DC counts.

#include <array>
#include <cstdint>

#include "codecs/jpeg/bit_reader.h"
#include "codecs/jpeg/huffman.h"

namespace pixpress {

// All symbols whose codes the next bits surely hold, values skipped. Immutable after Build.
class JpegSkipTable {
 public:
  struct Entry {
    uint8_t length = 0;  // In bits, values included; 0: there is nothing, or damage.
    uint8_t steps = 0;   // Coefficients, and 1 for the end.
    bool is_end = false;
  };

  void Build(const JpegDecodeTable& table);
  // The bits begin at the highest. At most 31 are skipped.
  Entry Find(uint64_t bits) const { return entries_[bits >> (64 - kLookupBits)]; }

 private:
  static constexpr uint32_t kLookupBits = 11;
  std::array<Entry, 1 << kLookupBits> entries_ = {};
};

// What ReadJpegAc does with nothing to do.
inline bool SkipJpegAc(JpegBitReader& reader, const JpegDecodeTable& table,
                       const JpegSkipTable& skips) {
  JpegBitReader in = reader;  // Of its own, for registers.
  uint32_t k = 0;
  JpegSkipTable::Entry entry;
  // False where it has to be seen what comes symbol by symbol.
  const auto skip = [&] {
    entry = skips.Find(in.bits());
    if (entry.length == 0 || k + entry.steps >= 63) return false;
    in.Skip(entry.length);
    k += entry.steps;
    return true;
  };
  do {
    in.Refill();
    if (!skip()) break;
    if (!entry.is_end && !skip()) break;
    if (entry.is_end) {
      reader = in;
      return true;
    }
  } while (true);
  reader = in;
  return ReadJpegAc(
      reader, table, [](uint32_t, JpegValue) {}, k);
}

}  // namespace pixpress
