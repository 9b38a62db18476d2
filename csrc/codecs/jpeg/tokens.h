#pragma once
// Quantized blocks in the order of their coding, as compact tokens: what is gathered before the
// Huffman tables are known.
//
// A token has the number of zeros before a value in its upper 4 bits, and the value in the others,
// negative ones less 1. A block is one DC token (the difference to its predecessor), its AC tokens,
// and kJpegEnd or kJpegFullEnd. The upper bits of DC tokens are 0, or for JpegImageTokens what
// rounding has left over.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codecs/jpeg/bit_reader.h"

namespace pixpress {

using JpegToken = uint16_t;

inline constexpr JpegToken kJpegZeroRun = 0xF000;  // 16 zeros
inline constexpr JpegToken kJpegEnd = 0x0000;
inline constexpr JpegToken kJpegFullEnd = 0x1000;  // Nothing is coded.
constexpr bool IsJpegEnd(JpegToken token) { return (token & ~kJpegFullEnd) == 0; }

// DC, 63 AC coefficients, and the end.
inline constexpr size_t kMaxBlockTokens = 65;
// What may be written beyond the last token.
inline constexpr size_t kTokenSlack = 16;

// The value of a token of DC or AC, signed.
inline int32_t JpegTokenValue(JpegToken token) {
  const int32_t value = static_cast<int32_t>(uint32_t{token} << 20) >> 20;
  return value + (value < 0 ? 1 : 0);
}

// Of a token's lower 12 bits: 16 if the value is negative, and its size in bits.
inline constexpr std::array<uint8_t, 1 << 12> kJpegValueClasses = [] {
  std::array<uint8_t, 1 << 12> classes = {};
  for (uint32_t value = 0; value < 1 << 11; ++value) {
    const auto size = static_cast<uint8_t>(std::bit_width(value));
    classes[value] = size;
    // The complement of a negative value has the width of its magnitude.
    classes[~value & 0xFFF] = 16 | size;
  }
  return classes;
}();

// The symbol (run << 4 | size) and the value's bits.
struct JpegTokenCode {
  uint32_t symbol;
  uint32_t bits;
};
inline JpegTokenCode SplitJpegToken(JpegToken token) {
  const uint32_t value = token & 0xFFF;
  const uint32_t size = kJpegValueClasses[value] & 15;
  return {static_cast<uint32_t>(token >> 12 << 4) | size, value & ((1u << size) - 1)};
}

// At most 2047 either way.
inline JpegToken MakeJpegDcToken(int32_t value) {
  return static_cast<JpegToken>((value - (value < 0 ? 1 : 0)) & 0xFFF);
}
// What DC is more than its level, in sixteenths of a step, -8 to 7.
inline int32_t JpegDcError(JpegToken token) { return static_cast<int16_t>(token) >> 12; }

// Of a number below 2^31. Compilers make branches of it where they see what it is.
inline uint32_t AllOnesUnlessZero(uint32_t number) {
  auto ones = static_cast<uint32_t>(static_cast<int32_t>(0 - number) >> 31);
  __asm__("" : "+r"(ones));
  return ones;
}

// Appends tokens to memory that is known to suffice.
class JpegTokenWriter {
 public:
  explicit JpegTokenWriter(JpegToken* next) : next_(next) {}

  // At most 2047 either way.
  void PutDc(int32_t difference) { *next_++ = MakeJpegDcToken(difference); }
  // The same with what JpegDcError gives, which may be off by one at the limits.
  void PutDc(int32_t difference, int32_t error) {
    const int32_t within = error > 7 ? 7 : error < -8 ? -8 : error;
    *next_++ = static_cast<JpegToken>(MakeJpegDcToken(difference) | within * (1 << 12));
  }
  // A value at `k` in zigzag order, where the last one that left a trace was at `*last`. A value of
  // 0 leaves none, and takes no branch, for it is as good as random whether a small one remains.
  void PutAc(uint32_t k, JpegValue value, uint32_t* last) {
    const uint32_t kept = AllOnesUnlessZero(value.magnitude);
    uint32_t zeros = k - *last - 1;
    if (__builtin_expect((zeros & kept) > 15, 0)) {
      for (; zeros > 15; zeros -= 16) *next_++ = kJpegZeroRun;
    }
    *next_ = static_cast<JpegToken>(zeros << 12 | ((value.magnitude ^ value.sign) & 0xFFF));
    next_ += kept & 1;
    *last ^= (*last ^ k) & kept;
  }
  // The same of a value that is not 0, as tokens have it.
  void PutKeptAc(uint32_t k, int32_t value, uint32_t* last) {
    uint32_t zeros = k - *last - 1;
    for (; zeros > 15; zeros -= 16) *next_++ = kJpegZeroRun;
    *next_++ = static_cast<JpegToken>(zeros << 12 | (static_cast<uint32_t>(value) & 0xFFF));
    *last = k;
  }
  void PutEnd(bool is_full) { *next_++ = is_full ? kJpegFullEnd : kJpegEnd; }
  // Copies tokens, kTokenSlack at a time: as many may be read beyond the last one.
  void PutCopy(const JpegToken* from, size_t count) {
    for (size_t i = 0; i < count; i += kTokenSlack) {
      std::memcpy(next_ + i, from + i, kTokenSlack * sizeof *from);
    }
    next_ += count;
  }
  JpegToken* next() const { return next_; }

 private:
  JpegToken* next_;
};

}  // namespace pixpress
