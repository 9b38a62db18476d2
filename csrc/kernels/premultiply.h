#pragma once
// Color weighed by alpha and back, in the fixed point of kernels/resize_blend.h, for pixels whose
// last of `channels` (2 or 4) is alpha. SIMD with run-time dispatch; every target gives the same.

#include <cstddef>
#include <cstdint>

#include "kernels/resize_blend.h"

namespace pixpress {

// WidenRow, and color premultiplied. Within half of the last bit; exact for opaque and for
// transparent pixels.
void PremultiplyRow(const uint8_t* in, size_t channels, size_t pixels, int16_t* out);

// NarrowRow, and color divided by alpha, rounded and saturated; 0 where alpha is 0 or less. `in`
// may be read up to kBlendPadding samples beyond its last.
void UnpremultiplyRow(const int16_t* in, size_t channels, size_t pixels, uint8_t* out);

// The same of 16 bits, samples less 32768, rounded exactly. Values above their alpha count as it.
void PremultiplyWideRow(const uint16_t* in, size_t channels, size_t pixels, int16_t* out);
void UnpremultiplyWideRow(const int16_t* in, size_t channels, size_t pixels, uint16_t* out);

}  // namespace pixpress
