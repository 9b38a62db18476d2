#pragma once
// Palette indices to LZW of GIF, in sub-blocks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/status.h"
#include "base/stop_token.h"
#include "memory/buffer.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {

// Encodes one image after another with the same tables. Used by one thread at a time.
//
// A full table is kept while it does well: it is cleared when the last codes cost more bits per
// pixel than all codes since the last clearing, the learning of the table included.
class GifLzwEncoder {
 public:
  static Result<GifLzwEncoder> Create(Meter& meter);
  static uint64_t MemoryBytes();
  // An upper bound of what so many pixels become.
  static uint64_t OutputBytes(uint64_t pixels);

  // Begin an image whose indices are less than 1 << `code_bits` (2 to 8). `out` outlives it.
  Status Start(uint8_t code_bits, ByteChain* out);
  // The next indices; any number at a time.
  Status Write(std::span<const uint8_t> indices);
  Status Finish();

  // A whole image in which the pixels with a nonzero `free` may be `free_index` instead: whichever
  // makes the longest strings is taken. Between Start and Finish, instead of Write.
  Status WriteWithChoice(std::span<const uint8_t> indices, std::span<const uint8_t> free,
                         uint8_t free_index, const StopToken& stop);

 private:
  static constexpr unsigned kMostBits = 12;
  static constexpr unsigned kMostCodes = 1u << kMostBits;
  static constexpr size_t kSlots = 2 * kMostCodes;
  static constexpr int kNone = -1;
  struct Tables {
    // Open addressing: prefix, suffix and code of the strings longer than one index.
    std::array<uint32_t, kSlots> slots;
    std::array<uint8_t, kMostCodes> first;  // Index of each string.
  };
  struct Choice;
  struct Match {
    int node = kNone;
    size_t length = 0;
    uint8_t first = 0;
  };

  explicit GifLzwEncoder(Buffer tables) : tables_(std::move(tables)) {}
  void ForgetStrings();
  int FindChild(int node, uint8_t index) const;
  int AddChild(int node, uint8_t index);
  void GrowUnstored();
  Match LongestMatch(const Choice& choice, size_t at) const;
  Status EmitString(int node, size_t pixels);
  Status EmitCode(unsigned code);
  Status FlushBlock();

  Buffer tables_;
  ByteChain* out_ = nullptr;  // Not owned.
  uint8_t code_bits_ = 0;
  unsigned width_ = 0;
  unsigned next_code_ = 0;
  int node_ = kNone;        // The string that is being matched.
  size_t node_pixels_ = 0;  // Its length.
  uint32_t bits_ = 0;
  unsigned bit_count_ = 0;
  std::array<uint8_t, 256> block_ = {};  // Its length first.
  size_t block_bytes_ = 0;
  // Since the last clearing, and of the last codes of a full table.
  uint64_t cycle_bits_ = 0;
  uint64_t cycle_pixels_ = 0;
  uint64_t window_bits_ = 0;
  uint64_t window_pixels_ = 0;
};

}  // namespace pixpress
