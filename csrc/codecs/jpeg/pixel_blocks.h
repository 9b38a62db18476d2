#pragma once
// Rows of pixels to blocks of DCT coefficients that are not yet quantized.

#include <array>
#include <cstdint>

#include "codecs/jpeg/frame.h"
#include "image/pixel_format.h"
#include "memory/meter.h"

namespace pixpress {

// From gray, RGB or YCbCr rows, which it averages to the frame's sampling. Used by one thread.
class JpegPixelBlocks {
 public:
  // The frame of an image of this layout; RGB gets luma of `h` x `v` samples. No tables.
  static JpegFrame FrameOf(const ImageLayout& layout, uint8_t h, uint8_t v);
  static uint64_t MemoryBytes(const JpegFrame& frame);

  // The frame outlives this.
  Status Start(const ImageLayout& layout, const JpegFrame& frame, Meter& meter);
  static size_t BlockBytes(const JpegFrame& frame);
  // The blocks of a row of MCUs in eighths, in BlockBytes() of memory. `rows` are those of each
  // plane, or RGB rows in the first, with room for padding to whole MCUs.
  JpegBlockRows Transform(const uint8_t* const* const* rows, int16_t* blocks);

 private:
  using Lines = std::array<uint8_t*, 16>;
  void SplitColors(const uint8_t* const* rgb);
  void Average(size_t component);

  const JpegFrame* frame_ = nullptr;
  bool is_rgb_ = false;
  Buffer samples_;
  std::array<Lines, 3> lines_ = {};  // Of RGB: each color at full size.
};

}  // namespace pixpress
