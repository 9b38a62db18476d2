#include "codecs/jpeg/mcu_marks.h"

#include <algorithm>

namespace pixpress {

size_t JpegMarkedTokens::CutPieces(const JpegFrame& frame, size_t from, size_t to,
                                   JpegPosition* position, std::vector<JpegPiece>* pieces) const {
  while (from < to && position->mcus < frame.mcu_count()) {
    const auto column = static_cast<uint32_t>(position->mcus % frame.mcu_columns);
    const size_t count = std::min<size_t>(to - from, frame.mcu_columns - column);
    const JpegMcuMark& begin = marks[from];
    const JpegMcuMark& end = marks[from + count];
    JpegPiece piece;
    piece.row = static_cast<uint32_t>(position->mcus / frame.mcu_columns);
    piece.ends_row = column + count == frame.mcu_columns;
    piece.has_differences = has_differences;
    piece.is_chosen = is_chosen;
    piece.begin = tokens + begin.token;
    piece.end = tokens + end.token;
    piece.dc_before = position->dc;
    pieces->push_back(piece);
    for (size_t c = 0; c < frame.component_count; ++c) {
      int32_t& dc = position->dc[c];
      dc = has_differences ? dc + static_cast<int16_t>(end.dc[c] - begin.dc[c]) : end.dc[c];
    }
    position->mcus += count;
    from += count;
  }
  return from;
}

}  // namespace pixpress
