#pragma once
// Several symbols at a time, for blocks of which only DC counts, or only where they are.

#include <array>
#include <cstdint>

#include "codecs/jpeg/bit_reader.h"
#include "codecs/jpeg/huffman.h"

namespace pixpress {

// What the next bits surely hold, values skipped: a DC symbol, or AC symbols. Immutable after
// Build.
class JpegSkipTable {
 public:
  static constexpr uint32_t kLookupBits = 12;
  // So that three look-ups find their bits in what one load of 8 bytes gives, 57 of them at least.
  static constexpr uint32_t kMostSkippedBits = (57 - kLookupBits) / 2;

  // Sums of entries hold sums of bits and coefficients.
  //   bits 0-6   coefficients, 1 for DC; 64: there is nothing, or damage
  //   bits 7-11  length in bits, values included
  //   bit 14     DC, or AC to the end of a block
  //   bit 15     AC to the end of a block
  using Entry = uint16_t;
  static constexpr Entry kNothing = 64;
  static constexpr uint32_t kStepBits = 7;
  static constexpr uint32_t kSumMask = 0xFFF;
  static constexpr uint32_t kNextShift = 14;
  static constexpr uint32_t kEndShift = 15;
  static constexpr uint64_t kStepMask = 127;
  static constexpr uint32_t Steps(uint32_t entry) { return entry & 127; }
  // Bits 12 and 13 are 0, so that shifts take the rest as their count.
  static constexpr uint32_t Length(uint32_t entry) { return entry >> kStepBits & 63; }

  void Build(const JpegDecodeTable& table, bool is_dc);
  // The bits begin at the highest.
  Entry Find(uint64_t bits) const { return entries_[bits >> (64 - kLookupBits)]; }

 private:
  static Entry MakeAc(const JpegDecodeTable& table, uint32_t bits);
  static Entry MakeDc(const JpegDecodeTable& table, uint32_t bits);

  std::array<Entry, 1 << kLookupBits> entries_ = {};
};

// The ready-made one of a table that is a standard one; null for any other.
const JpegSkipTable* StandardJpegSkipTable(const JpegDecodeTable& table);

// What ReadJpegAc does with nothing to do.
inline bool SkipJpegAc(JpegBitReader& reader, const JpegDecodeTable& table,
                       const JpegSkipTable& skips) {
  JpegBitReader in = reader;  // Of its own, for registers.
  uint32_t k = 0;
  uint32_t entry = 0;
  // False where it has to be seen what comes symbol by symbol.
  const auto skip = [&] {
    entry = skips.Find(in.bits());
    if (k + JpegSkipTable::Steps(entry) >= 63) return false;
    in.Skip(JpegSkipTable::Length(entry));
    k += JpegSkipTable::Steps(entry);
    return true;
  };
  do {
    in.Refill();
    if (!skip()) break;
    if (entry >> JpegSkipTable::kEndShift == 0 && !skip()) break;
    if (entry >> JpegSkipTable::kEndShift != 0) {
      reader = in;
      return true;
    }
  } while (true);
  reader = in;
  return ReadJpegAc(
      reader, table, [](uint32_t, JpegValue) {}, k);
}

}  // namespace pixpress
