#pragma once
// Sample conversions of one row, SIMD with run-time dispatch, the same bytes on every target.
// `out` and inputs do not overlap unless a comment says so. `pixels` counts pixels.

#include <cstddef>
#include <cstdint>

#include "image/pixel_format.h"

namespace pixpress {

// Full-range BT.601, as in JFIF. All planes at full resolution.
void YcbcrToRgbRow(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, size_t pixels,
                   uint8_t* rgb);
void RgbToYcbcrRow(const uint8_t* rgb, size_t pixels, uint8_t* y, uint8_t* cb, uint8_t* cr);
// Luma with the same weights. `channels` is 3 or 4; alpha is dropped.
void RgbToGrayRow(const uint8_t* rgb, uint8_t channels, size_t pixels, uint8_t* gray);

// Full range (JPEG) to limited range (WebP, video). In place is allowed. Chroma is rounded to
// nearest; luma, of which 256 levels become 220, by 4 x 4 ordered thresholds from a quarter to
// three quarters, for which `row` is the number of its row.
void LumaToLimitedRange(const uint8_t* full, size_t samples, size_t row, uint8_t* limited);
void ChromaToLimitedRange(const uint8_t* full, size_t samples, uint8_t* limited);

// 8 bits: x * 257. 16 bits: (x * 255 + 32895) >> 16, exact rounding.
void Widen8To16(const uint8_t* in, size_t samples, uint16_t* out);
void Narrow16To8(const uint16_t* in, size_t samples, uint8_t* out);

// Any of gray, RGB, with or without alpha, to any other, 8 or 16 bits alike. New alpha is opaque;
// RGB to gray takes luma; alpha dropped without blending.
void ConvertChannelsRow(const void* in, ColorModel in_color, bool in_alpha, ColorModel out_color,
                        bool out_alpha, uint8_t bits, size_t pixels, void* out);

// Blend over an opaque background (8-bit values; widened for 16 bits) and drop alpha.
// `channels` counts the input's, 2 or 4.
void FlattenRow(const void* in, uint8_t channels, uint8_t bits, Rgba background, size_t pixels,
                void* out);

// Plain CMYK (0 = no ink) to sRGB without a profile: (255 - c) * (255 - k) / 255.
void CmykToRgbRow(const uint8_t* cmyk, size_t pixels, uint8_t* rgb);

// The name of the SIMD target in use, such as "AVX2".
const char* SimdTargetName();

}  // namespace pixpress
