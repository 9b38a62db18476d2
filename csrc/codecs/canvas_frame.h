#pragma once
// The frame between two canvases of an animation, as an encoder writes it.

#include <cstdint>

#include "base/status.h"
#include "codecs/canvas_difference.h"
#include "image/frame.h"
#include "image/image.h"
#include "memory/meter.h"

namespace pixpress {

// What becomes of the place of a frame before the next one is drawn.
enum class CanvasDisposal : uint8_t {
  kKeep,
  kClear,    // Transparent.
  kRestore,  // As it was before the frame.
};

enum class CanvasBlend : uint8_t {
  kSource,  // The frame replaces its place, alpha and all.
  kOver,    // What is transparent in the frame leaves the canvas as it is.
};

struct CanvasFrame {
  CanvasPixels before;  // What the frame is drawn on.
  CanvasPixels after;   // What is to be seen then.
  CanvasPlace place;    // Has all pixels that differ, and at least one pixel.
  CanvasDisposal disposal = CanvasDisposal::kKeep;
  FrameDuration duration;
  bool is_first = false;
};

struct FrameContent {
  bool is_opaque = true;       // All pixels of the place are.
  bool may_blend_over = true;  // All pixels that differ are opaque: decoders agree on those.
  uint64_t still_px = 0;       // Pixels of the place that do not differ.
};
FrameContent LookAtFrame(const CanvasFrame& frame);

// The pixels of the place as RGB or RGBA, for CanvasBlend::kOver with the still ones transparent.
Result<Image> MakeFrameImage(const CanvasFrame& frame, CanvasBlend blend, bool has_alpha,
                             Meter& meter);

}  // namespace pixpress
