#pragma once
// The pixels of one frame of an animated GIF as numbers of colors, and as indices of a palette.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codecs/canvas_difference.h"
#include "codecs/codec.h"
#include "codecs/gif/palette.h"
#include "codecs/gif/writer.h"
#include "image/pixel_format.h"
#include "image/work_context.h"
#include "memory/buffer.h"

namespace pixpress {

// What is written for one frame.
struct GifFramePlan {
  CanvasPixels before;  // What the frame is drawn on.
  CanvasPixels after;   // What is to be seen then.
  CanvasPlace place;
  GifDisposal disposal = GifDisposal::kKeep;
  uint16_t delay = 0;
  bool is_first = false;

  uint64_t area() const { return uint64_t{place.width} * place.height; }
};

// How pixels that stand still are written.
enum class GifStill : uint8_t {
  kSkipped,  // Transparent.
  kDrawn,    // As what they are.
  kEither,
};

class GifFramePixels {
 public:
  static Result<GifFramePixels> Create(uint32_t width, uint32_t height,
                                       const EncodeOptions& options, const WorkContext& context);
  static uint64_t MemoryBytes(uint32_t width, uint32_t height);

  // Colors are exact where the changed pixels have few enough; else they are quantized and
  // dithered.
  Status Take(const GifFramePlan& plan);

  // Colors that have to be drawn, and, behind them, those of pixels that stand still, as far as
  // there are numbers for them. None is the transparent one.
  std::span<const uint32_t> drawn() const { return colors_.colors().first(drawn_count_); }
  std::span<const uint32_t> all() const { return colors_.colors(); }
  uint64_t still_px() const { return still_px_; }
  // Of those, the ones that can only be skipped.
  uint64_t hidden_px() const { return hidden_px_; }
  // Whether the colors and the transparent one are too many, so that nothing can be skipped.
  bool must_draw_all() const { return must_draw_all_; }

  // The least index of `palette` that no drawn pixel has, and preferably none that stands still, so
  // that it can be the transparent one, whatever its color; -1 if there is none.
  int TransparentIndex(const GifPalette& palette) const;
  // Whether all colors are in the palette, and nothing has to be skipped.
  bool CanDrawAll(const GifPalette& palette) const;
  // Fills the two below. The palette has the colors that are drawn.
  void Fill(const GifPalette& palette, int transparent, GifStill still);
  std::span<const uint8_t> indices() const { return indices_.span().first(pixels_); }
  // Nonzero where the transparent index is as good.
  std::span<const uint8_t> free() const { return free_.span().first(pixels_); }

 private:
  // Number of a color that is drawn, or of one that stands still with kStill; or kHidden.
  static constexpr uint16_t kStill = 1u << 8;
  static constexpr uint16_t kHidden = 2u << 8;

  GifFramePixels(const EncodeOptions& options, const WorkContext& context)
      : options_(options), context_(&context) {}
  bool Number(const GifFramePlan& plan);
  Status Quantize(const GifFramePlan& plan);
  void NumberQuantized(const GifFramePlan& plan, const std::vector<Rgba>& palette);

  EncodeOptions options_;
  const WorkContext* context_;  // Not owned; outlives the pixels.
  GifPalette colors_;
  size_t drawn_count_ = 0;
  size_t pixels_ = 0;
  // Of the colors that stand still: their places in `colors_`, -1 if there was no room.
  std::array<int16_t, GifPalette::kMostColors> still_numbers_ = {};
  size_t still_count_ = 0;
  uint64_t still_px_ = 0;
  uint64_t hidden_px_ = 0;
  bool must_draw_all_ = false;
  Buffer numbers_;  // Of 16 bits; RGBA while colors are quantized.
  Buffer indices_;
  Buffer free_;
};

}  // namespace pixpress
