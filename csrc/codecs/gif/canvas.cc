#include "codecs/gif/canvas.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/canvas_difference.h"

namespace pixpress {
namespace {

// Rows that are drawn between two looks at the stop token.
constexpr uint32_t kRowsPerPoll = 64;

ImageLayout CanvasLayout(uint32_t width, uint32_t height) {
  return ImageLayout::Interleaved(width, height, ColorModel::kRgb, true);
}

// The colors of a frame: its own, the global ones, or grays; black where the table ends.
std::array<Rgba, 256> FrameColors(Bytes local, Bytes global) {
  std::array<Rgba, 256> colors;
  const Bytes table = local.empty() ? global : local;
  for (size_t i = 0; i < 256; ++i) {
    const uint8_t gray = static_cast<uint8_t>(i);
    colors[i] = table.empty() ? Rgba{gray, gray, gray, 255} : Rgba{0, 0, 0, 255};
    if (i * 3 + 3 <= table.size()) {
      colors[i] = {table[i * 3], table[i * 3 + 1], table[i * 3 + 2], 255};
    }
  }
  return colors;
}

Rgba Transparent(Rgba color) { return {color.r, color.g, color.b, 0}; }

// The rows of a frame in the order in which they are stored.
class RowOrder {
 public:
  explicit RowOrder(const GifImage& frame)
      : height_(frame.height), is_interlaced_(frame.is_interlaced) {}

  uint32_t Next() {
    const uint32_t row = next_;
    if (!is_interlaced_) {
      ++next_;
      return row;
    }
    next_ += kSteps[pass_];
    while (next_ >= height_ && pass_ < 3) next_ = kStarts[++pass_];
    return row;
  }

 private:
  static constexpr std::array<uint32_t, 4> kStarts = {0, 4, 2, 1};
  static constexpr std::array<uint32_t, 4> kSteps = {8, 8, 4, 2};
  const uint32_t height_;
  const bool is_interlaced_;
  uint32_t next_ = 0;
  size_t pass_ = 0;
};

}  // namespace

Status CheckGifFrame(const GifImage& frame, uint32_t width, uint32_t height, const Limits& limits) {
  return CheckDimensions(std::max(width, frame.x + frame.width),
                         std::max(height, frame.y + frame.height), limits);
}

Result<GifCanvas> GifCanvas::Create(const GifCanvasInfo& info, const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwDecoder decoder, GifLzwDecoder::Create(context.meter));
  GifCanvas canvas(info, context, std::move(decoder));
  PIXPRESS_ASSIGN_OR_RETURN(canvas.pixels_,
                            Image::Create(CanvasLayout(info.width, info.height), context.meter));
  return canvas;
}

uint64_t GifCanvas::MemoryBytes(uint32_t width, uint32_t height, bool is_animated) {
  const uint64_t image = Image::MemoryBytes(CanvasLayout(width, height));
  constexpr uint64_t kWidestRow = 2 * 65536;
  return SaturatingAdd(SaturatingMul(image, is_animated ? 2 : 1),
                       GifLzwDecoder::MemoryBytes() + kWidestRow);
}

GifCanvas::Rect GifCanvas::Clip(const GifImage& frame) const {
  return {std::min(frame.x, info_.width), std::min(frame.y, info_.height),
          std::min(frame.x + frame.width, info_.width),
          std::min(frame.y + frame.height, info_.height)};
}

void GifCanvas::Fill(const Rect& rect, Rgba color) {
  for (uint32_t y = rect.top; y < rect.bottom; ++y) {
    uint8_t* row = pixels_.row(0, y);
    for (uint32_t x = rect.left; x < rect.right; ++x) std::memcpy(row + x * 4, &color, 4);
  }
}

void GifCanvas::Copy(const Rect& rect, const Image& from, Image* to) const {
  for (uint32_t y = rect.top; y < rect.bottom; ++y) {
    std::memcpy(to->row(0, y) + size_t{rect.left} * 4, from.row(0, y) + size_t{rect.left} * 4,
                size_t{rect.right - rect.left} * 4);
  }
}

void GifCanvas::NoteChanged(const Rect& rect) {
  changed_ =
      Together(changed_, {rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top});
}

void GifCanvas::Dispose() {
  if (disposal_ == GifDisposal::kKeep) return;
  NoteChanged(disposal_rect_);
  if (disposal_ == GifDisposal::kBackground) Fill(disposal_rect_, disposal_color_);
  if (disposal_ == GifDisposal::kPrevious) Copy(disposal_rect_, saved_, &pixels_);
}

Status GifCanvas::PrepareDisposal(const GifImage& frame, const Colors& colors) {
  disposal_ = frame.disposal;
  disposal_rect_ = Clip(frame);
  const uint8_t background =
      size_t{info_.background} * 3 < info_.global_table.size() ? info_.background : uint8_t{0};
  disposal_color_ = colors[frame.transparent.value_or(background)];
  if (info_.has_alpha && frame.transparent.has_value()) {
    disposal_color_ = Transparent(disposal_color_);
  }
  if (disposal_ != GifDisposal::kPrevious) return Status();
  if (is_first_) {
    // There is nothing before: cleared if that can be, and else kept.
    disposal_ = info_.has_alpha ? GifDisposal::kBackground : GifDisposal::kKeep;
    return Status();
  }
  if (saved_.layout().width == 0) {
    PIXPRESS_ASSIGN_OR_RETURN(saved_, Image::Create(pixels_.layout(), context_->meter));
  }
  Copy(disposal_rect_, pixels_, &saved_);
  return Status();
}

void GifCanvas::DrawRow(const uint8_t* indices, const Rect& rect, uint32_t y, const Colors& colors,
                        int transparent) {
  uint8_t* out = pixels_.row(0, y) + size_t{rect.left} * 4;
  const auto changes = [&](uint32_t x) {
    return indices[x] != transparent && std::memcmp(out + x * 4, &colors[indices[x]], 4) != 0;
  };
  // Many files draw again what stands still.
  uint32_t begin = 0;
  uint32_t end = rect.right - rect.left;
  while (begin < end && !changes(begin)) ++begin;
  if (begin == end) return;
  while (!changes(end - 1)) --end;
  NoteChanged({rect.left + begin, y, rect.left + end, y + 1});
  for (uint32_t x = begin; x < end; ++x) {
    if (indices[x] != transparent) std::memcpy(out + x * 4, &colors[indices[x]], 4);
  }
}

Status GifCanvas::DrawPixels(const GifImage& frame, const Rect& rect, const Colors& colors) {
  PIXPRESS_RETURN_IF_ERROR(decoder_.Start(frame.data, frame.code_bits));
  if (row_.size() < frame.width) {
    row_.Release();
    PIXPRESS_ASSIGN_OR_RETURN(row_, context_->meter.Allocate(frame.width));
  }
  // Transparent pixels of the first frame have a color, though nobody sees it.
  const int transparent = frame.transparent.has_value() && !is_first_ ? *frame.transparent : -1;
  RowOrder order(frame);
  for (uint32_t i = 0; i < frame.height; ++i) {
    if (i % kRowsPerPoll == 0) PIXPRESS_RETURN_IF_ERROR(context_->stop.Poll());
    Status status = decoder_.Read({row_.data(), frame.width});
    if (!status.ok()) return Salvaged(std::move(status), frame, rect, i);
    const uint32_t y = frame.y + order.Next();
    if (y < rect.bottom) DrawRow(row_.data(), rect, y, colors, transparent);
  }
  return Status();
}

// Only of the first frame a part is better than nothing. What is missing between interlaced rows is
// filled with the row above.
Status GifCanvas::Salvaged(Status damage, const GifImage& frame, const Rect& rect, uint32_t rows) {
  if (context_->salvage == nullptr || !is_first_ || rows == 0) return damage;
  context_->salvage->Note(rows, frame.height, "rows");
  if (!frame.is_interlaced) return Status();
  std::vector<bool> is_there(frame.height);
  RowOrder order(frame);
  for (uint32_t i = 0; i < rows; ++i) is_there[order.Next()] = true;
  const size_t left_bytes = size_t{rect.left} * 4;
  for (uint32_t y = rect.top + 1; y < rect.bottom; ++y) {
    if (is_there[y - frame.y]) continue;
    std::memcpy(pixels_.row(0, y) + left_bytes, pixels_.row(0, y - 1) + left_bytes,
                size_t{rect.right - rect.left} * 4);
  }
  return Status();
}

Status GifCanvas::Draw(const GifImage& frame) {
  Colors colors = FrameColors(frame.table, info_.global_table);
  if (is_first_) {
    const uint8_t empty = frame.transparent.value_or(0);
    if (frame.transparent.has_value()) colors[empty] = Transparent(colors[empty]);
    Fill({0, 0, info_.width, info_.height}, colors[empty]);
    changed_ = {0, 0, info_.width, info_.height};
  } else {
    changed_ = {};
    Dispose();
  }
  PIXPRESS_RETURN_IF_ERROR(PrepareDisposal(frame, colors));
  if (frame.width > 0 && frame.height > 0) {
    PIXPRESS_RETURN_IF_ERROR(DrawPixels(frame, Clip(frame), colors));
  }
  is_first_ = false;
  return Status();
}

}  // namespace pixpress
