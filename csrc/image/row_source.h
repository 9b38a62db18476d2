#pragma once
// Images as a stream of rows: decoders, resizing and colour steps all look like this, and an
// encoder pulls from one.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "image/pixel_format.h"

namespace pixpress {

// Consecutive rows of one plane, borrowed from the source.
struct PlaneRows {
  const uint8_t* data = nullptr;  // The first row; 16-bit samples are 2-byte aligned.
  size_t stride_bytes = 0;        // Not less than ImageLayout::row_bytes of the plane.
  uint32_t first_row = 0;         // In the plane.
  uint32_t rows = 0;              // May be 0 in some stripes.

  const uint8_t* row(uint32_t i) const { return data + i * stride_bytes; }
};

// What one Next() yields: some more rows of some planes. Planes may end in different stripes.
struct Stripe {
  std::array<PlaneRows, 3> planes;
};

// Used by one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual const ImageLayout& layout() const = 0;

  // The next rows of every plane, valid until the following call. Rows come in order, without gaps.
  // Must not be called once the last row of every plane was given. Polls the stop token.
  virtual Status Next(Stripe* stripe) = 0;
};

}  // namespace pixpress
