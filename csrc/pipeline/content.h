#pragma once
// What an image shows, as far as the choice of a format depends on it.

#include "base/status.h"
#include "image/row_source.h"

namespace pixpress {

struct Content {
  bool is_opaque = true;    // No alpha, or every pixel has all of it.
  bool is_graphic = false;  // Drawn, written or of flat areas: lossless formats do well.
};

// Of all rows of one plane, gray or RGB, with or without alpha, 8 or 16 bits. Polls the stop token
// as the source does.
Result<Content> ReadContent(RowSource& rows);

}  // namespace pixpress
