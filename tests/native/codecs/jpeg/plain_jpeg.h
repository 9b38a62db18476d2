#pragma once
// JPEG files of every kind, and their contents, by bare libjpeg calls: what the codec is held
// against. For valid files only: libjpeg ends the process on an error here.

#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "codecs/codec.h"

namespace pixpress {

struct Sampling {
  int h = 1;
  int v = 1;
};

struct JpegRecipe {
  uint32_t width = 97;
  uint32_t height = 61;
  J_COLOR_SPACE stored = JCS_YCbCr;  // Any of one, three or four components.
  std::array<Sampling, 4> sampling = {};
  int quality = 90;
  int noise = 0;  // Added to every sample: up to this, by chance.
  bool is_progressive = false;
  bool is_arithmetic = false;
  bool is_optimized = false;
  bool has_jfif = true;
  unsigned restart_interval = 0;  // In MCUs.
};

std::vector<uint8_t> MakeJpeg(const JpegRecipe& recipe);

// The samples of each plane without padding; one plane of pixels unless planar.
using PlainPlanes = std::vector<std::vector<uint8_t>>;
PlainPlanes PlainDecode(Bytes jpeg, bool is_planar, unsigned scale_denominator);

// Every coefficient of every component in file order, and the quantization tables.
std::vector<int> PlainCoefficients(Bytes jpeg);

// Decoded to planes and encoded again, with the sampling and the quantization tables of `like`.
std::vector<uint8_t> PlainReencode(Bytes jpeg, Bytes like);

// The file with a segment put in at `offset`, after SOI unless given.
std::vector<uint8_t> WithSegment(Bytes jpeg, uint8_t marker, Bytes payload, size_t offset = 2);

// The recipe with samplings of every kind, chroma larger than luma and gray among them.
std::vector<JpegRecipe> EverySampling(JpegRecipe recipe);

}  // namespace pixpress
