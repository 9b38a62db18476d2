#pragma once
// The coefficients of any bytes, by our own entropy decoder and by libjpeg: what the one reads, the
// other must read too.

#include <cstdint>
#include <vector>

#include "codecs/codec.h"

namespace pixpress {

struct JpegCoefficientRead {
  bool is_ok = false;  // Without damage.
  std::vector<int16_t> coefficients;
};

// Is it a JPEG file of so few pixels and scans that it is worth reading?
bool IsSmallJpeg(Bytes bytes);
JpegCoefficientRead ReadOwnCoefficients(Bytes bytes);
JpegCoefficientRead ReadLibraryCoefficients(Bytes bytes);

// Transcode to this quality and effort. Empty if our own coder leaves it to pixels.
std::vector<uint8_t> TranscodeForTest(Bytes bytes, int quality, int effort);

}  // namespace pixpress
