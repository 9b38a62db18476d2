#pragma once
// The inner loops of a resize: weighted sums of rows. Samples are 16 bits; SIMD with
// run-time dispatch; integer arithmetic, so that every target gives the same samples.
//
// Rows are padded: every input of a blend may be read, and an output written, up to kBlendPadding
// samples beyond its last sample.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/resize_bands.h"

namespace pixpress {

inline constexpr size_t kBlendPadding = kRowPadding / sizeof(int16_t);
inline constexpr int kFineBits = 6;

// Each of `out` is the sum of rows[i] times its i-th weight, rounded and saturated: one or two
// rows.
void BlendRows(const int16_t* const* rows, const BandWeights& weights, size_t samples,
               std::span<int16_t* const> out);

// The same of rows of bytes, as if WidenRow had widened them.
void BlendByteRows(const uint8_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out);

// The same of samples of 16 bits without a sign, less 32768.
void BlendWideRows(const uint16_t* const* rows, const BandWeights& weights, size_t samples,
                   std::span<int16_t* const> out);

// 8 bits to and from fixed point with kFineBits bits after the point, rounded and saturated.
void WidenRow(const uint8_t* in, size_t samples, int16_t* out);
void NarrowRow(const int16_t* in, size_t samples, uint8_t* out);

}  // namespace pixpress
