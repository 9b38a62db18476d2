#pragma once
// LZW of GIF to palette indices, in pieces of any size.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/codec.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {

// Decodes one frame after another with the same tables. Used by one thread at a time.
class GifLzwDecoder {
 public:
  static Result<GifLzwDecoder> Create(Meter& meter);

  // Begin a frame: `data` is its sub-blocks, `code_bits` its minimum code size.
  Status Start(Bytes data, uint8_t code_bits);
  // The next indices, all of `out`; kCorruptImage if the data has fewer or is damaged.
  Status Read(std::span<uint8_t> out);

  static uint64_t MemoryBytes();

 private:
  static constexpr unsigned kMostBits = 12;
  static constexpr size_t kMostCodes = 1u << kMostBits;
  // A string is whole words of indices and its tail, of 1 to kWord.
  static constexpr size_t kWord = 8;
  struct Tables {
    std::array<uint64_t, kMostCodes> tail;  // The first index lowest.
    std::array<uint16_t, kMostCodes> head;  // The string before the tail.
    std::array<uint16_t, kMostCodes> length;
    std::array<uint8_t, kMostCodes> first;
    std::array<uint8_t, kMostCodes + kWord> pending;
  };

  explicit GifLzwDecoder(Buffer tables) : tables_(std::move(tables)) {}
  void Reset();
  bool FillBits();
  Result<uint16_t> NextString();
  void Remember(uint16_t code);
  // The string of `code` to `out`, which has room for length[code] bytes and kWord more.
  void Expand(uint16_t code, uint8_t* out);

  Buffer tables_;
  Bytes data_;
  size_t at_ = 0;
  size_t block_left_ = 0;  // Bytes of the present sub-block.
  uint64_t bits_ = 0;
  unsigned bit_count_ = 0;
  uint8_t code_bits_ = 0;
  unsigned width_ = 0;  // Of the next code.
  unsigned next_ = 0;   // The code that the next string gets.
  int last_ = -1;       // The last code; none after a clear.
  size_t pending_at_ = 0;
  size_t pending_end_ = 0;
};

}  // namespace pixpress
