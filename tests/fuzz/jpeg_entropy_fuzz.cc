// Our own JPEG entropy decoder and libjpeg on the same bytes: the same coefficients, or ours
// refuses. What is re-encoded of them must be a file that libjpeg reads without a complaint.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codecs/jpeg/differential.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pixpress;
  constexpr size_t kMostBytes = 32 << 10;
  const Bytes bytes(data, size);
  if (size > kMostBytes || !IsSmallJpeg(bytes)) return 0;
  const JpegCoefficientRead own = ReadOwnCoefficients(bytes);
  if (own.is_ok) {
    const JpegCoefficientRead library = ReadLibraryCoefficients(bytes);
    if (!library.is_ok || library.coefficients != own.coefficients) std::abort();
  }
  // Some byte of the scan chooses what is made of it.
  const uint8_t choice = data[size / 2];
  const std::vector<uint8_t> made = TranscodeForTest(bytes, 1 + choice % 100, 1 + choice % 3);
  if (!made.empty() && !ReadLibraryCoefficients(made).is_ok) std::abort();
  return 0;
}
