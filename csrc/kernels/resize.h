#pragma once
// Separable resampling of one plane, row by row, SIMD with run-time dispatch. Integer arithmetic
// decides every sample, so that all targets give the same bytes.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "memory/meter.h"

namespace pixpress {

enum class Filter : uint8_t { kNearest, kBox, kBilinear, kHamming, kBicubic, kMitchell, kLanczos };

// One direction of a resize. The center of output sample i lies at source position
// (i + 0.5) * scale + offset, where source sample j covers [j, j + 1).
struct ResizeAxis {
  uint32_t in_size = 0;
  uint32_t out_size = 0;
  double scale = 1.0;
  double offset = 0.0;

  // All of `in_size` onto all of `out_size`.
  static ResizeAxis Whole(uint32_t in_size, uint32_t out_size) {
    return {in_size, out_size, static_cast<double>(in_size) / out_size, 0.0};
  }
  bool operator==(const ResizeAxis&) const = default;
  bool is_identity() const { return in_size == out_size && scale == 1.0 && offset == 0.0; }
};

struct ResizeOptions {
  Filter filter = Filter::kLanczos;
  uint8_t channels = 1;    // 1 to 4, interleaved.
  uint8_t bits = 8;        // 8 or 16 per sample, input and output.
  bool has_alpha = false;  // The last channel weighs the others (premultiplied inside).
  bool linear = false;     // Resample sRGB-coded color in linear light.
};

inline constexpr size_t kRowPadding = 128;  // Bytes.

// Push source rows in order; pop each output row as soon as it is ready. Not thread-safe.
class PlaneResizer {
 public:
  virtual ~PlaneResizer() = default;

  // Shares the weights of `like` if there is one on the same axes, such as the other chroma plane.
  static Result<std::unique_ptr<PlaneResizer>> Create(const ResizeAxis& x, const ResizeAxis& y,
                                                      const ResizeOptions& options, Meter& meter,
                                                      const PlaneResizer* like = nullptr);
  // What Create charges.
  static uint64_t MemoryBytes(const ResizeAxis& x, const ResizeAxis& y,
                              const ResizeOptions& options);

  // Take the next source row of in_size pixels. Every ready row has been popped before. A row that
  // `stays`, with kRowPadding readable bytes behind it, until the last one is popped is not copied.
  virtual void PushRow(const uint8_t* row, bool stays) = 0;
  // Can the next output row be popped now? False after the last one.
  virtual bool row_ready() const = 0;
  // Write the next output row of out_size pixels.
  virtual void PopRow(uint8_t* out) = 0;
};

}  // namespace pixpress
