#pragma once
// Single operations on the caller's thread, without an engine: what the numpy functions call. All
// block, take no global locks, and may run on many threads at the same time.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "image/limits.h"
#include "image/pixel_format.h"
#include "kernels/palette.h"
#include "memory/buffer.h"
#include "memory/meter.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// The header of a file or of encoded bytes.
Result<ImageInfo> ProbeImage(const Source& source, const Limits& limits);

// The pixel layouts that decode() can be asked for; kNative is the image's own.
struct PixelMode {
  ColorModel color = ColorModel::kRgb;  // kGray, kRgb or kCmyk
  bool has_alpha = false;
};

// Decodes interleaved pixels: Open, make room for frames() times layout(), ReadInto for each frame.
class PixelReader {
 public:
  virtual ~PixelReader() = default;
  static Result<std::unique_ptr<PixelReader>> Open(const Source& source, const Limits& limits,
                                                   const std::optional<PixelMode>& mode,
                                                   bool all_frames);
  // The same for all frames: the canvas of an animation, RGBA unless a mode was asked for.
  virtual const ImageLayout& layout() const = 0;
  // 1 unless all frames of an animation were asked for.
  virtual uint32_t frames() const = 0;
  // The next frame, at most frames() times. `out` holds layout().height rows of `stride_bytes`.
  virtual Status ReadInto(uint8_t* out, size_t stride_bytes) = 0;
};

// A job run here and now; owns the memory that its result lives in.
class OneShotJob {
 public:
  OneShotJob() : pool_(kRetainedBytes), meter_(pool_) {}
  Status Run(const JobSpec& spec);
  const JobResult& result() const { return result_; }

 private:
  static constexpr size_t kRetainedBytes = 0;
  BufferPool pool_;
  Meter meter_;
  JobResult result_;
};

// Resample one-plane pixels of `layout` (gray, RGB or CMYK, with or without alpha, 8 or 16 bits) to
// `width` x `height` pixels of the same kind at `out`.
Status ResizePixels(const ImageLayout& layout, const uint8_t* pixels, size_t stride_bytes,
                    uint32_t width, uint32_t height, Filter filter, bool linear, uint8_t* out,
                    size_t out_stride_bytes);

// The SSIMULACRA2 of two images of the same size, each one plane of pixels (ScoreRows).
Result<double> ScorePixels(const Source& reference, const Source& distorted);

// `indices` holds one byte per pixel, without gaps.
Status QuantizePixels(const PixelView& pixels, const PaletteOptions& options, uint8_t* indices,
                      std::vector<Rgba>* palette);

}  // namespace pixpress
