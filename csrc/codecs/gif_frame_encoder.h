#pragma once
// One frame of an animated GIF: its palette, its indices, its codes.

#include <cstdint>

#include "base/status.h"
#include "codecs/canvas_difference.h"
#include "codecs/codec.h"
#include "codecs/gif_lzw_encoder.h"
#include "codecs/gif_palette.h"
#include "codecs/gif_writer.h"
#include "image/work_context.h"
#include "memory/buffer.h"
#include "memory/byte_chain.h"

namespace pixpress {

// What is written for one frame.
struct GifFramePlan {
  CanvasPixels before;  // What the frame is drawn on.
  CanvasPixels after;   // What is to be seen then.
  CanvasPlace place;
  GifDisposal disposal = GifDisposal::kKeep;
  uint16_t delay = 0;
  bool is_first = false;
};

// Colors are exact where the changed pixels have few enough; else they are quantized and dithered.
// Frames share a global palette for as long as their colors fit into it, and have a local one
// otherwise, or where that is smaller.
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
  GifFrameEncoder(const EncodeOptions& options, const WorkContext& context, GifLzwEncoder lzw)
      : options_(options), context_(&context), lzw_(std::move(lzw)) {}

  bool CollectChanged(const GifFramePlan& plan, bool* skips);
  bool CollectAll(const GifFramePlan& plan);
  Status ChooseColors(const GifFramePlan& plan);
  Status Quantize(const GifFramePlan& plan, bool skips);
  void TakeQuantized(const GifFramePlan& plan, const std::vector<Rgba>& palette);
  bool FillIndices(const GifFramePlan& plan, const GifPalette& palette, bool with_choice);
  Status Encode(const GifFramePlan& plan, const GifPalette& palette, bool is_local,
                ByteChain* smallest);
  Status EncodeOnce(const GifFramePlan& plan, const GifPalette& palette, bool is_local,
                    bool with_choice, ByteChain* smallest);

  EncodeOptions options_;
  const WorkContext* context_;  // Not owned; outlives the encoder.
  GifLzwEncoder lzw_;
  GifPalette global_;
  GifPalette own_;  // Of the present frame.
  bool is_exact_ = true;
  Buffer drawn_;    // The colors that the frame shows, where they are quantized; 0: skipped.
  Buffer indices_;  // Of the place of the frame, without gaps.
  Buffer free_;     // As WriteWithChoice takes it.
};

}  // namespace pixpress
