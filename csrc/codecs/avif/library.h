#pragma once
// Owners of libavif's objects, and its errors as values.

#include <avif/avif.h>

#include <memory>

#include "base/status.h"

namespace pixpress {

struct DestroyAvif {
  void operator()(avifDecoder* decoder) const { avifDecoderDestroy(decoder); }
  void operator()(avifEncoder* encoder) const { avifEncoderDestroy(encoder); }
  void operator()(avifImage* image) const { avifImageDestroy(image); }
};
using AvifDecoder = std::unique_ptr<avifDecoder, DestroyAvif>;
using AvifEncoder = std::unique_ptr<avifEncoder, DestroyAvif>;
using AvifImage = std::unique_ptr<avifImage, DestroyAvif>;

// Frees what libavif wrote.
struct AvifBytes {
  avifRWData data = AVIF_DATA_EMPTY;
  AvifBytes() = default;
  AvifBytes(const AvifBytes&) = delete;
  AvifBytes& operator=(const AvifBytes&) = delete;
  ~AvifBytes() { avifRWDataFree(&data); }
};

// kMemoryLimit, or `otherwise` with the library's words.
Status AvifStatus(avifResult result, const avifDiagnostics& details, StatusCode otherwise);

// The EXIF orientation that the transformations of an image add up to.
uint8_t AvifOrientation(const avifImage& image);
// Set the transformations of an image to what `orientation` says.
void SetAvifOrientation(uint8_t orientation, avifImage* image);

}  // namespace pixpress
