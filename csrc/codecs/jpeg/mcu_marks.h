#pragma once
// Decoded MCUs of a scan, cut into pieces of rows.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codecs/jpeg/piece.h"
#include "codecs/jpeg/source_rows.h"

namespace pixpress {

// The begin of an MCU. DC is that of the blocks before: of a part whose begin is certain itself,
// else as a sum of differences from the first MCU of the part on, modulo 2^16.
struct JpegMcuMark {
  uint32_t bit = 0;    // From the begin of the part, without byte stuffing.
  uint32_t token = 0;  // From the part's first token.
  std::array<int16_t, 3> dc = {};
};

// A part's drafts. Marks are those of its MCUs, and of what comes after the last one.
struct JpegMarkedTokens {
  JpegToken* tokens = nullptr;
  const JpegMcuMark* marks = nullptr;
  bool has_differences = false;  // In DC tokens and marks.
  bool is_chosen = false;        // They have AC tokens of the output.

  // Adds the MCUs between two marks, which begin at `position`, and moves that. Returns the mark
  // that it came to, before `to` if the image ends there.
  size_t CutPieces(const JpegFrame& frame, size_t from, size_t to, JpegPosition* position,
                   std::vector<JpegPiece>* pieces) const;
};

}  // namespace pixpress
