#pragma once
// Palette indices to LZW of GIF, in sub-blocks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/status.h"
#include "base/stop_token.h"
#include "codecs/gif/loss.h"
#include "memory/buffer.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {

// What becomes of a full table. Either may be some percent smaller than the other.
enum class GifClearing : uint8_t {
  // It is kept while it does well: it is cleared when the last codes cost more bits per pixel than
  // all codes since the last clearing, the learning of the table included.
  kWhenBad,
  kAtOnce,
};

// Encodes one image after another with the same tables. Used by one thread at a time.
class GifLzwEncoder {
 public:
  static Result<GifLzwEncoder> Create(Meter& meter);
  static uint64_t MemoryBytes();
  // An upper bound of what so many pixels become.
  static uint64_t OutputBytes(uint64_t pixels);

  // Begin an image whose indices are less than 1 << `code_bits` (2 to 8). `out` outlives it.
  Status Start(uint8_t code_bits, ByteChain* out, GifClearing clearing = GifClearing::kWhenBad);
  // The next indices; any number at a time.
  Status Write(std::span<const uint8_t> indices);
  Status Finish();
  // Whether the clearing mattered since Start.
  bool was_full() const { return was_full_; }

  // A whole image in which the pixels with a nonzero `free` (none if it is empty) may be
  // `free_index` instead, and the others what `loss` allows of its palette: whatever makes the
  // longest strings is taken. Between Start and Finish, instead of Write.
  Status WriteWithChoice(std::span<const uint8_t> indices, std::span<const uint8_t> free,
                         int free_index, const GifLoss& loss, const StopToken& stop);

 private:
  static constexpr unsigned kMostBits = 12;
  static constexpr unsigned kMostCodes = 1u << kMostBits;
  static constexpr size_t kSlots = 2 * kMostCodes;
  static constexpr int kNone = -1;
  static constexpr size_t kBlockBytes = 255;  // Of a full sub-block.
  struct Tables {
    // The oldest child of each string, most often the one that is looked for: its code and last
    // index; kEmptySlot is none.
    std::array<uint32_t, kMostCodes> oldest;
    // Open addressing: prefix, suffix and code of the other strings longer than one index.
    std::array<uint32_t, kSlots> slots;
    // The same strings as a tree: the newest child, and the next older one of the same parent; 0 is
    // none, as no child has that code.
    std::array<uint16_t, kMostCodes> child;
    std::array<uint16_t, kMostCodes> sibling;
    // Indices of each string.
    std::array<uint8_t, kMostCodes> first;
    std::array<uint8_t, kMostCodes> last;
  };
  // What may be written where.
  struct Choice {
    std::span<const uint8_t> indices;
    std::span<const uint8_t> free;
    int free_index;  // -1: none.
    const GifLoss& loss;

    bool IsFree(size_t at) const { return !free.empty() && free[at] != 0; }
    bool Allows(size_t at, uint8_t index) const {
      return indices[at] == index || (free_index == index && IsFree(at));
    }
    // What is free, and transparency, know no error.
    bool IsExact(size_t at) const { return indices[at] == free_index || IsFree(at); }
  };
  struct LossyBranch;
  struct LossyBranches;
  struct Match {
    int node = kNone;
    size_t length = 0;
    uint8_t first = 0;
    GifColorError error = {};  // What it leaves behind.
  };

  explicit GifLzwEncoder(Buffer tables) : tables_(std::move(tables)) {}
  void ForgetStrings();
  int FindChild(int node, uint8_t index) const;
  bool HasChild(int node) const;
  int AddChild(int node, uint8_t index);
  void GrowUnstored();
  Match LongestMatch(const Choice& choice, size_t at) const;
  void PushLonger(const Choice& choice, const LossyBranch& before, LossyBranches* branches) const;
  void PushFirst(const Choice& choice, size_t at, const GifColorError& error,
                 LossyBranches* branches) const;
  Match BestLossyMatch(const Choice& choice, size_t at, const GifColorError& error) const;
  Status EmitString(int node, size_t pixels);
  Status EmitCode(unsigned code);
  Status FlushBlock();

  Buffer tables_;
  ByteChain* out_ = nullptr;  // Not owned.
  uint8_t code_bits_ = 0;
  GifClearing clearing_ = GifClearing::kWhenBad;
  bool was_full_ = false;
  unsigned width_ = 0;
  unsigned next_code_ = 0;
  int node_ = kNone;        // The string that is being matched.
  size_t node_pixels_ = 0;  // Its length.
  uint64_t bits_ = 0;       // Less than 32 between codes.
  unsigned bit_count_ = 0;
  std::array<uint8_t, 1 + kBlockBytes + 8> block_ = {};  // Its length, and what waits behind.
  size_t block_bytes_ = 0;
  // Since the last clearing, and of the last codes of a full table.
  uint64_t cycle_bits_ = 0;
  uint64_t cycle_pixels_ = 0;
  uint64_t window_bits_ = 0;
  uint64_t window_pixels_ = 0;
};

}  // namespace pixpress
