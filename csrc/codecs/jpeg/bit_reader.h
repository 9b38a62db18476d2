#pragma once
// Bits of entropy-coded data, from the highest of each byte on, and the values that they code.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codecs/jpeg/huffman.h"

namespace pixpress {

// Reads bytes without stuffing or markers. There must be kJpegReadAhead bytes of any value after
// every position that is read from, the first 8 of them 0; the caller checks what was consumed.
class JpegBitReader {
 public:
  JpegBitReader() = default;
  explicit JpegBitReader(const uint8_t* next) : next_(next) {}

  // At least 56 bits are in the reservoir after this: two symbols with their values.
  void Refill() {
    uint64_t word;
    std::memcpy(&word, next_, sizeof word);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    reservoir_ |= word >> count_;
    next_ += (63 - count_) >> 3;
    count_ |= 56;
  }
  uint64_t bits() const { return reservoir_; }
  void Skip(uint32_t count) {
    reservoir_ <<= count;
    count_ -= count;
  }
  // Take back the last `count` bits, `bits`, that were skipped.
  void Unskip(uint32_t bits, uint32_t count) {
    reservoir_ = reservoir_ >> count | uint64_t{bits} << (64 - count);
    count_ += count;
  }

  // The data was moved: the byte that was at `from` is now at `to`.
  void Move(const uint8_t* from, const uint8_t* to) { next_ = to + (next_ - from); }
  const uint8_t* next() const { return next_; }
  // Bits that were taken from before next() but not consumed.
  uint32_t unread_bits() const { return count_; }

 private:
  const uint8_t* next_ = nullptr;
  uint64_t reservoir_ = 0;  // Below the valid bits lie the next ones or zeros.
  uint32_t count_ = 0;
};

// A value of JPEG as sign and magnitude.
struct JpegValue {
  uint32_t magnitude = 0;
  uint32_t sign = 0;  // All ones if negative.
  int32_t Signed() const { return static_cast<int32_t>((magnitude ^ sign) - sign); }
};

// The value after the code of `entry`, both of which begin at the highest of `bits`.
inline JpegValue ReadJpegValue(uint64_t bits, JpegHuffmanEntry entry) {
  const uint64_t after = bits << (entry >> 8 & 63);
  const auto sign = static_cast<uint64_t>(~(static_cast<int64_t>(after) >> 63));
  // In two steps, for a size of 0.
  return {static_cast<uint32_t>((after ^ sign) >> 1 >> (entry >> 16 & 63)),
          static_cast<uint32_t>(sign)};
}

// Calls use(k, value) for the AC coefficients of a block: each that is not 0, k being its position
// in zigzag order, and some that are, k being at most 79. False if the data is not in order. The
// reader holds the bits of a symbol already. `k` is the position of what was read before.
template <typename Use>
inline bool ReadJpegAc(JpegBitReader& reader, const JpegDecodeTable& table, const Use& use,
                       uint32_t k = 0) {
  JpegBitReader in = reader;  // Of its own, for registers.
  JpegHuffmanEntry entry;
  // True at the end of the block, or of what makes sense.
  const auto read = [&] {
    entry = table.Find(in.bits());
    const JpegValue value = ReadJpegValue(in.bits(), entry);
    in.Skip(JpegEntryLength(entry));
    k += JpegEntryStep(entry);
    use(k, value);
    return (entry & kJpegEntryEnd) != 0 || k >= 63;
  };
  do {
    in.Refill();
    if (read()) break;
  } while (!read());
  // After the last coefficient there is no end of block: what was merged is the next block's.
  if (__builtin_expect(k >= 63, 0) && (entry & kJpegEntryMerged) != 0) {
    in.Unskip(table.end_code(), table.end_length());
  }
  reader = in;
  return (k <= 63 || JpegEntrySize(entry) == 0) && (entry & kJpegEntryWrong) == 0;
}

}  // namespace pixpress
