#pragma once
// Composes the frames of a GIF: what one sees after each of them, exactly as Pillow composes it.
//
// The first frame decides what empty means: its transparent color, if it has one, and else the
// color 0, or the background color after a disposal; then the canvas stays opaque. Browsers differ
// in that they always clear to transparent. Frames are clipped to the canvas.

#include <array>
#include <cstdint>

#include "base/status.h"
#include "codecs/gif/blocks.h"
#include "codecs/gif/lzw_decoder.h"
#include "image/frame.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

// What a GIF is as a whole. The canvas is the screen and the first frame together.
struct GifCanvasInfo {
  uint32_t width = 0;
  uint32_t height = 0;
  Bytes global_table;
  uint8_t background = 0;
  bool has_alpha = false;
};

// Checks the area that reaches to the far corner of the frame.
Status CheckGifFrame(const GifImage& frame, uint32_t width, uint32_t height, const Limits& limits);

class GifCanvas {
 public:
  static Result<GifCanvas> Create(const GifCanvasInfo& info, const WorkContext& context);
  static uint64_t MemoryBytes(uint32_t width, uint32_t height, bool is_animated);

  // Dispose of the last frame, and draw the next one. After a failure nothing else may be called.
  Status Draw(const GifImage& frame);
  Image& pixels() { return pixels_; }
  // What the last Draw may have changed.
  const CanvasPlace& changed() const { return changed_; }

 private:
  struct Rect {
    uint32_t left = 0, top = 0, right = 0, bottom = 0;
  };
  using Colors = std::array<Rgba, 256>;

  GifCanvas(const GifCanvasInfo& info, const WorkContext& context, GifLzwDecoder decoder)
      : info_(info), context_(&context), decoder_(std::move(decoder)) {}

  Rect Clip(const GifImage& frame) const;
  void Fill(const Rect& rect, Rgba color);
  void Copy(const Rect& rect, const Image& from, Image* to) const;
  void Dispose();
  Status PrepareDisposal(const GifImage& frame, const Colors& colors);
  Status Salvaged(Status damage, const GifImage& frame, const Rect& rect, uint32_t rows);
  Status DrawPixels(const GifImage& frame, const Rect& rect, const Colors& colors);
  void DrawRow(const uint8_t* indices, const Rect& rect, uint32_t y, const Colors& colors,
               int transparent);
  void NoteChanged(const Rect& rect);

  GifCanvasInfo info_;
  const WorkContext* context_;  // Not owned; outlives the canvas.
  GifLzwDecoder decoder_;
  Image pixels_;
  Image saved_;  // For kPrevious, made when first needed.
  Buffer row_;   // Indices, as wide as the widest frame so far.
  bool is_first_ = true;
  CanvasPlace changed_;
  // How to dispose of the last frame.
  GifDisposal disposal_ = GifDisposal::kKeep;
  Rect disposal_rect_;
  Rgba disposal_color_;
};

}  // namespace pixpress
