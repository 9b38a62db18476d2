#pragma once
// One frame of an animated GIF: its palette, its indices, its codes.

#include <array>
#include <cstdint>

#include "base/status.h"
#include "codecs/codec.h"
#include "codecs/gif/frame_pixels.h"
#include "codecs/gif/loss.h"
#include "codecs/gif/lzw_encoder.h"
#include "codecs/gif/palette.h"
#include "image/work_context.h"
#include "memory/byte_chain.h"

namespace pixpress {

// Frames share a global palette for as long as their colors fit into it, and have a local one
// otherwise, or where that is smaller. Any color of a palette that a frame does not draw can be its
// transparent one.
class GifFrameEncoder {
 public:
  static Result<GifFrameEncoder> Create(uint32_t width, uint32_t height,
                                        const EncodeOptions& options, const WorkContext& context);
  static uint64_t MemoryBytes(uint32_t width, uint32_t height);

  // Append control, descriptor and data.
  Status Write(const GifFramePlan& plan, ByteChain* out);
  // Complete after the last frame.
  const GifPalette& global_palette() const { return global_; }

 private:
  struct Attempt {
    bool is_local = false;
    bool is_lossy = false;
    int transparent = -1;
    bool names_transparent = false;
    GifStill still = GifStill::kDrawn;
  };

  GifFrameEncoder(const EncodeOptions& options, const WorkContext& context, GifFramePixels pixels,
                  GifLzwEncoder lzw)
      : options_(options),
        context_(&context),
        loss_(options),
        pixels_(std::move(pixels)),
        lzw_(std::move(lzw)) {}

  GifPalette PaletteOf(const GifFramePlan& plan, const GifPalette& base) const;
  // Which of two ways makes smaller frames, as far as was tried, and when to try both again.
  struct Rivals {
    bool prefers_second = false;
    uint32_t frames_to_trial = 0;
    uint32_t gap_frames = 0;
    uint64_t tried_px = 0;  // Of the last frame that both ways were tried with.
    // Much larger frames tell something new.
    bool IsTrialDue(uint64_t pixels) const { return frames_to_trial == 0 || pixels / 2 > tried_px; }
    // After a trial, and after a frame without one.
    void Note(bool is_second_smaller, uint64_t pixels);
    void Pass() { frames_to_trial -= frames_to_trial > 0 ? 1 : 0; }
  };

  Status EncodeStill(const GifFramePlan& plan, const GifPalette& palette, Attempt attempt,
                     bool can_draw_all, ByteChain* smallest);
  Status Encode(const GifFramePlan& plan, const GifPalette& palette, bool is_local,
                ByteChain* smallest);
  Status EncodeAs(const GifFramePlan& plan, const GifPalette& palette, Attempt attempt,
                  ByteChain* smallest);
  Status EncodeOnce(const GifFramePlan& plan, const GifPalette& palette, const Attempt& attempt,
                    ByteChain* smallest);
  Status EncodeWith(const GifFramePlan& plan, const GifPalette& palette, const Attempt& attempt,
                    GifClearing clearing, ByteChain* made);

  EncodeOptions options_;
  const WorkContext* context_;  // Not owned; outlives the encoder.
  GifLoss loss_;
  const GifLoss no_loss_;
  GifFramePixels pixels_;
  GifLzwEncoder lzw_;
  GifPalette global_;
  // Of exact attempts, and of lossy ones.
  std::array<Rivals, 2> drawing_;   // Still parts free, or drawn.
  std::array<Rivals, 2> clearing_;  // Tables cleared when they are bad, or at once.
};

}  // namespace pixpress
