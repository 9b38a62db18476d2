#pragma once
// Animations as a stream of whole canvases: decoders yield them composed, encoders find out again
// what changed. So every pair of formats, and every step between, knows one kind of frame.

#include <cstdint>
#include <limits>
#include <optional>

#include "base/status.h"
#include "image/image.h"
#include "image/pixel_format.h"

namespace pixpress {

// How long a frame is shown, in seconds, as the format stores it: GIF n/100, WebP n/1000, PNG any.
struct FrameDuration {
  uint32_t numerator = 0;
  uint32_t denominator = 1;  // Never 0.
  bool operator==(const FrameDuration&) const = default;
};

// A part of a canvas.
struct CanvasPlace {
  uint32_t x = 0;
  uint32_t y = 0;
  uint32_t width = 0;
  uint32_t height = 0;
};

// What an animation is besides its frames.
struct AnimationInfo {
  uint32_t width = 0;  // Of the canvas.
  uint32_t height = 0;
  uint32_t frames = 0;      // As announced; a damaged file may end earlier.
  uint32_t loop_count = 0;  // How often all is shown; 0: for ever.
  // To an encoder: no frame is added once the output is longer, which nobody wants then.
  uint64_t useful_bytes = std::numeric_limits<uint64_t>::max();

  CanvasPlace whole() const { return {0, 0, width, height}; }
};

// One frame, composed: the whole canvas as one shows it, RGBA of 8 bits.
struct Frame {
  const Image* canvas = nullptr;  // Borrowed from the source until its next call.
  FrameDuration duration;
  // Has all pixels that differ from the canvas before, and maybe more; none: not known.
  std::optional<CanvasPlace> changed;
};

// Decodes an animation, frame by frame, in order. Holds a few canvases, never all frames. Used by
// one thread at a time.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const AnimationInfo& info() const = 0;
  // The next canvas; `frame->canvas` is null after the last one. Checks the limits per frame again
  // and polls the stop token.
  virtual Status Next(Frame* frame) = 0;
};

// Encodes an animation, frame by frame, in order. Used by one thread at a time.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Take the next canvas, RGBA of 8 bits, of the size of the animation; borrowed for the call.
  virtual Status Add(const Image& canvas, const FrameDuration& duration) = 0;
  // The same where only `changed` may differ from the canvas that was added before.
  virtual Status AddChanged(const Image& canvas, const FrameDuration& duration,
                            const CanvasPlace& /*changed*/) {
    return Add(canvas, duration);
  }
  // After the last frame, once: write what is left.
  virtual Status Finish() = 0;
  // After an error: may all go well from the first frame on, with EncodeOptions::noisy_frames?
  virtual bool may_be_too_noisy() const { return false; }
};

// Turns durations into whole units of 1/`units_per_second` s so that errors do not add up: the sum
// of all results is the rounded sum of all durations.
class DurationRounder {
 public:
  explicit DurationRounder(uint32_t units_per_second) : units_per_second_(units_per_second) {}
  uint32_t Next(const FrameDuration& duration);

 private:
  const uint32_t units_per_second_;
  double exact_ = 0.0;    // The sum of the durations, in units.
  uint64_t rounded_ = 0;  // The sum of the results.
};

}  // namespace pixpress
