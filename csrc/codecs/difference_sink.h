#pragma once
// What encoders of true-color animations share. A frame is written once the next one is known: what
// the next one needs decides how the frame is disposed of. Equal frames in a row become one.

#include <cstdint>

#include "base/status.h"
#include "codecs/canvas_frame.h"
#include "image/frame.h"
#include "image/work_context.h"
#include "memory/buffer.h"

namespace pixpress {

class DifferenceSink : public FrameSink {
 public:
  Status Add(const Image& canvas, const FrameDuration& duration) final;
  Status Finish() final;
  // What Init holds.
  static uint64_t CanvasMemoryBytes(uint32_t width, uint32_t height);

 protected:
  // What the format can do.
  struct Abilities {
    bool can_restore = false;  // CanvasDisposal::kRestore.
    uint32_t grid_px = 1;      // Frames begin at multiples of it.
  };
  // `context` outlives the sink.
  DifferenceSink(const AnimationInfo& animation, Abilities abilities, const WorkContext& context)
      : animation_(animation), abilities_(abilities), context_(context) {}
  Status Init();

  const AnimationInfo& animation() const { return animation_; }
  const WorkContext& context() const { return context_; }

 private:
  // The nearest duration that the format can store.
  virtual FrameDuration StoredDuration(const FrameDuration& duration) = 0;
  // Make `duration` longer by `more`, exactly, or leave it and return false. Both can be stored.
  virtual bool Extend(FrameDuration* duration, const FrameDuration& more) const = 0;
  virtual Status WriteFrame(const CanvasFrame& frame) = 0;
  // After the last frame, once.
  virtual Status WriteEnd() = 0;

  // What a disposal leads to.
  struct Disposed {
    CanvasDisposal disposal = CanvasDisposal::kKeep;
    CanvasDifference next;  // What the next frame has to draw.
  };

  CanvasPixels Pixels(const Buffer& canvas) const;
  CanvasPlace OnGrid(CanvasPlace place) const;
  void Take(const Image& canvas);
  Disposed ChooseDisposal() const;
  Status WriteShown();
  Status Write(CanvasDisposal disposal);
  void Clear(const CanvasPlace& place);

  const AnimationInfo animation_;
  const Abilities abilities_;
  const WorkContext& context_;
  Buffer before_;  // What the shown frame is drawn on.
  Buffer shown_;   // The last frame that was added, not written yet.
  Buffer next_;
  CanvasPlace drawn_;  // The place of the shown frame.
  FrameDuration duration_;
  bool has_shown_ = false;
  bool is_first_ = true;
};

}  // namespace pixpress
