#pragma once
// The Huffman codes of one block of a deflate stream, and how they are written.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codecs/deflate/symbols.h"

namespace pixpress {

// Bits from the lowest of a byte on. Writes nothing beyond `out`.
class DeflateBits {
 public:
  explicit DeflateBits(std::span<uint8_t> out) : out_(out) {}

  void Put(uint32_t bits, uint32_t count) {
    pending_ |= uint64_t{bits} << pending_bits_;
    pending_bits_ += count;
    for (; pending_bits_ >= 8; pending_bits_ -= 8, pending_ >>= 8) {
      if (bytes_ < out_.size()) out_[bytes_] = static_cast<uint8_t>(pending_);
      ++bytes_;
    }
  }
  // At most 48 bits. The eight bytes from the next one on are overwritten where there is room.
  void PutMany(uint64_t bits, uint32_t count) {
    if (bytes_ + 8 > out_.size()) {
      for (; count > 16; count -= 16, bits >>= 16) Put(bits & 0xFFFF, 16);
      return Put(static_cast<uint32_t>(bits), count);
    }
    pending_ |= bits << pending_bits_;
    pending_bits_ += count;
    for (size_t i = 0; i < 8; ++i) out_[bytes_ + i] = static_cast<uint8_t>(pending_ >> 8 * i);
    bytes_ += pending_bits_ / 8;
    pending_ = pending_ >> (pending_bits_ & 56u);
    pending_bits_ %= 8;
  }
  // Ends on a byte; if more is to come, with an empty stored block. Returns how many bytes there
  // are, 0 if there was no room for all.
  size_t End(bool is_last) {
    if (!is_last) Put(kStoredBlock << 1, 3);
    Align();
    if (!is_last) {
      Put(0, 16);
      Put(0xFFFF, 16);
    }
    return bytes_ <= out_.size() ? bytes_ : 0;
  }

 private:
  void Align() { Put(0, (8 - pending_bits_) % 8); }

  const std::span<uint8_t> out_;
  size_t bytes_ = 0;
  uint64_t pending_ = 0;
  uint32_t pending_bits_ = 0;
};

// Canonical codes of at most `most_bits` for the symbols that are used: 0 bits for others, 1 for
// one alone. `lengths` and `codes` (their first bit lowest) are as long as `counts`, at most
// kDeflateSymbols.
void MakeHuffmanCode(std::span<const uint32_t> counts, uint32_t most_bits,
                     std::span<uint8_t> lengths, std::span<uint16_t> codes);

// The codes that fit some counts best.
class DeflateCode {
 public:
  explicit DeflateCode(const DeflateCounts& counts);

  // What a block takes in bits, its header included.
  uint64_t block_bits() const { return header_bits_ + data_bits_; }
  void PutHeader(bool is_last, DeflateBits* out) const;
  void Put(DeflateToken token, DeflateBits* out) const;
  void PutLiterals(std::span<const uint8_t> data, DeflateBits* out) const;
  void PutEnd(DeflateBits* out) const { PutSymbol(kEndOfBlock, out); }

 private:
  // A code length, or a repeat and the bits that say how often.
  struct Step {
    uint8_t symbol;
    uint8_t extra;
  };

  void UseFixed();
  uint64_t BitsOf(const DeflateCounts& counts) const;
  void MakeHeader();
  void AddRun(uint8_t length, size_t count);
  void PutSymbol(size_t symbol, DeflateBits* out) const {
    out->Put(symbol_codes_[symbol], symbol_bits_[symbol]);
  }

  bool is_fixed_ = false;
  std::array<uint8_t, kFixedSymbols> symbol_bits_ = {};
  std::array<uint16_t, kFixedSymbols> symbol_codes_ = {};
  std::array<uint8_t, kDistanceSymbols> distance_bits_ = {};
  std::array<uint16_t, kDistanceSymbols> distance_codes_ = {};
  size_t symbols_ = kDeflateSymbols;  // Up to the last one in use.
  size_t distances_ = kDistanceSymbols;
  std::array<Step, kDeflateSymbols + kDistanceSymbols> steps_;
  size_t step_count_ = 0;
  std::array<uint8_t, kStepSymbols> step_bits_ = {};
  std::array<uint16_t, kStepSymbols> step_codes_ = {};
  size_t step_lengths_ = kStepSymbols;
  uint64_t header_bits_ = 3;
  uint64_t data_bits_ = 0;
};

}  // namespace pixpress
