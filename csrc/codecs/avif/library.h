#pragma once
// Owners of libavif's objects, and its errors as values.

#include <avif/avif.h>

#include <memory>
#include <type_traits>

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

// Call a setter of libavif. Before 1.0 they return nothing and do not fail.
template <typename Returned, typename... Parameters, typename... Arguments>
Status SetAvif(Returned (*setter)(Parameters...), Arguments... arguments) {
  if constexpr (std::is_void_v<Returned>) {
    setter(arguments...);
    return Status();
  } else {
    return AvifStatus(setter(arguments...), avifDiagnostics(), StatusCode::kInternal);
  }
}

// The part of the coded picture that is the image: all of it, or its clean aperture. kCorruptImage,
// or kUnsupportedFormat where it cuts through samples of chroma.
Result<avifCropRect> AvifVisibleArea(const avifImage& image);

// The EXIF orientation that the transformations of an image add up to.
uint8_t AvifOrientation(const avifImage& image);
// Set the transformations of an image to what `orientation` says, whatever they were.
void SetAvifOrientation(uint8_t orientation, avifImage* image);

}  // namespace pixpress
