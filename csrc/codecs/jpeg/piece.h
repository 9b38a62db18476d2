#pragma once
// Whole MCUs of one row of an image, as drafts (jpeg/drafter.h): what a thread chooses and codes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/jpeg/tokens.h"

namespace pixpress {

// Images of fewer blocks are done before another thread has come to help.
inline constexpr uint64_t kFewestSplitJpegBlocks = 1 << 16;

// The most tokens that the draft of a block takes, never fewer than it becomes, and that may be
// written to.
inline constexpr size_t kMaxBlockDraft = 132;

struct JpegPiece {
  uint32_t row = 0;
  bool ends_row = false;
  // Do its DC tokens hold the difference to the block before, or DC itself?
  bool has_differences = false;
  bool is_chosen = false;  // Its AC tokens are those of the output.
  JpegToken* begin = nullptr;
  JpegToken* end = nullptr;
  std::array<int32_t, 3> dc_before = {};  // Of each component's last block before it.

  size_t token_count() const { return static_cast<size_t>(end - begin); }
};

}  // namespace pixpress
