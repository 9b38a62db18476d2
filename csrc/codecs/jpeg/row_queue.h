#pragma once
// Collects the rows of a source into whole rows of MCUs, padded at the edges as JPEG wants them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "image/row_source.h"
#include "memory/meter.h"

namespace pixpress {

class JpegRowQueue {
 public:
  // Interleaved rows come by `interleaved_rows`, at most 16, and planes by their rows of an MCU.
  // `meter` outlives the queue.
  Status Start(const ImageLayout& layout, uint32_t interleaved_rows, Meter& meter);
  // With stripes of any height that steps and decoders yield.
  static uint64_t MemoryBytes(const ImageLayout& layout) {
    return (uint64_t{layout.width} + 64) * 3 * 256;
  }
  // Pull from the source until every plane has its rows of the next MCU row.
  Status Fill(RowSource& source);
  // The filled rows were used.
  void Drop();

  uint32_t mcu_rows() const { return mcu_rows_; }  // In rows of the whole image.
  JSAMPIMAGE arrays() { return arrays_.data(); }

 private:
  struct Plane {
    Buffer buffer;
    size_t stride = 0;
    size_t row_bytes = 0;
    uint32_t height = 0;
    uint32_t mcu_rows = 0;
    uint32_t capacity_rows = 0;
    uint32_t held_rows = 0;      // From the start of the buffer.
    uint32_t received_rows = 0;  // Of the whole plane.
    uint32_t dropped_rows = 0;
    std::array<JSAMPROW, 16> rows = {};

    uint32_t wanted_rows() const;
  };
  Status Append(Plane& plane, const PlaneRows& rows);
  static void PointAndPad(Plane& plane);

  Meter* meter_ = nullptr;
  uint32_t mcu_rows_ = 0;
  uint8_t plane_count_ = 0;
  std::array<Plane, 3> planes_;
  std::array<JSAMPARRAY, 3> arrays_ = {};
};

}  // namespace pixpress
