#include "codecs/jpeg/pixel_blocks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "kernels/convert.h"
#include "kernels/forward_dct.h"

namespace pixpress {
namespace {

size_t LineBytes(const JpegFrame& frame) { return size_t{frame.mcu_columns} * frame.max_h * 8; }

uint64_t SampleBytes(const JpegFrame& frame) {
  return uint64_t{3} * 8 * frame.max_v * LineBytes(frame);
}

}  // namespace

JpegFrame JpegPixelBlocks::FrameOf(const ImageLayout& layout, uint8_t h, uint8_t v) {
  JpegFrame frame;
  frame.width = layout.width;
  frame.height = layout.height;
  frame.component_count = layout.color == ColorModel::kGray ? 1 : 3;
  for (size_t c = 0; c < frame.component_count; ++c) {
    frame.components[c].quant = static_cast<uint8_t>(c);
  }
  if (layout.color == ColorModel::kYCbCr) {
    h = layout.planes[0].h_samples;
    v = layout.planes[0].v_samples;
  }
  if (layout.color != ColorModel::kGray) {
    frame.components[0].h = frame.max_h = h;
    frame.components[0].v = frame.max_v = v;
  }
  frame.mcu_columns = DivideRoundingUp(frame.width, 8u * frame.max_h);
  frame.mcu_rows = DivideRoundingUp(frame.height, 8u * frame.max_v);
  return frame;
}

uint64_t JpegPixelBlocks::MemoryBytes(const JpegFrame& frame) {
  return BufferPool::CapacityFor(SampleBytes(frame));
}

size_t JpegPixelBlocks::BlockBytes(const JpegFrame& frame) {
  return size_t{frame.mcu_columns} * frame.mcu_blocks() * 64 * sizeof(int16_t);
}

Status JpegPixelBlocks::Start(const ImageLayout& layout, const JpegFrame& frame, Meter& meter) {
  frame_ = &frame;
  is_rgb_ = layout.color == ColorModel::kRgb;
  if (!is_rgb_) return Status();
  PIXPRESS_ASSIGN_OR_RETURN(samples_, meter.Allocate(SampleBytes(frame)));
  uint8_t* line = samples_.data();
  for (Lines& lines : lines_) {
    for (size_t y = 0; y < 8u * frame.max_v; ++y) {
      lines[y] = std::exchange(line, line + LineBytes(frame));
    }
  }
  return Status();
}

void JpegPixelBlocks::SplitColors(const uint8_t* const* rgb) {
  const size_t width = frame_->width, padding = LineBytes(*frame_) - width;
  for (size_t y = 0; y < 8u * frame_->max_v; ++y) {
    RgbToYcbcrRow(rgb[y], width, lines_[0][y], lines_[1][y], lines_[2][y]);
    for (const Lines& lines : lines_) {
      std::memset(lines[y] + width, lines[y][width - 1], padding);
    }
  }
  for (size_t c = 1; c < 3; ++c) Average(c);
}

// In place: what is written was read before. Halves go up and down by turns, as in libjpeg.
void JpegPixelBlocks::Average(size_t component) {
  const uint32_t h = frame_->max_h, v = frame_->max_v;
  if (h * v == 1) return;
  const uint32_t shift = h * v == 4 ? 2 : 1;
  Lines& lines = lines_[component];
  for (size_t y = 0; y < 8; ++y) {
    const uint8_t* const upper = lines[y * v];
    const uint8_t* const lower = lines[y * v + v - 1];
    uint8_t* const out = lines[y];
    for (size_t x = 0; x < size_t{frame_->mcu_columns} * 8; ++x) {
      uint32_t sum = upper[x * h];
      if (h == 2) sum += upper[x * 2 + 1];
      if (v == 2) sum += lower[x * h];
      if (h * v == 4) sum += lower[x * 2 + 1];
      out[x] = static_cast<uint8_t>((sum + (shift == 2 ? 1 : 0) + (x & 1)) >> shift);
    }
  }
}

JpegBlockRows JpegPixelBlocks::Transform(const uint8_t* const* const* rows, int16_t* blocks) {
  if (is_rgb_) SplitColors(rows[0]);
  JpegBlockRows made = {};
  for (size_t c = 0; c < frame_->component_count; ++c) {
    const uint8_t* const* const lines = is_rgb_ ? lines_[c].data() : rows[c];
    for (size_t y = 0; y < frame_->components[c].v; ++y) {
      made[c][y] = blocks;
      for (size_t x = 0; x < frame_->block_columns(c); ++x, blocks += 64) {
        ForwardDct(lines + y * 8, x * 8, blocks);
      }
    }
  }
  return made;
}

}  // namespace pixpress
