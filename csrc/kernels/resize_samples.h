#pragma once
// How a resize holds samples: 16 signed bits in which weighted sums are the sums of light that the
// options ask for.

#include <cstddef>
#include <cstdint>

#include "kernels/resize.h"

namespace pixpress {

// Two codes. Fine: 8-bit input with kFineBits bits more, color premultiplied by alpha. Offset:
// 16-bit input or linear light, 0 to 65535 less 32768, color premultiplied. Both thread-safe.
class ResizeSamples {
 public:
  explicit ResizeSamples(const ResizeOptions& options) : options_(options) {}

  // Can rows wait as they are stored, to become samples while they are blended?
  bool may_stay() const { return !options_.has_alpha && !options_.linear; }

  // A row of `width` pixels as stored (8 or 16 bits a sample) to samples, and back, saturated.
  void Load(const uint8_t* row, size_t width, int16_t* samples) const;
  void Store(const int16_t* samples, size_t width, uint8_t* row) const;

 private:
  bool is_fine() const { return options_.bits == 8 && !options_.linear; }
  // `count` samples without alpha.
  void LoadOffset(const uint8_t* row, size_t count, int16_t* samples) const;
  void StoreOffset(const int16_t* samples, size_t count, uint8_t* row) const;
  // Pixels whose color is weighed by alpha.
  void LoadWeighed(const uint8_t* row, size_t width, int16_t* samples) const;
  void StoreWeighed(const int16_t* samples, size_t width, uint8_t* row) const;

  const ResizeOptions options_;
};

}  // namespace pixpress
