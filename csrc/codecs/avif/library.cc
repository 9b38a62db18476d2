#include "codecs/avif/library.h"

#include <array>
#include <cstring>
#include <string>

namespace pixpress {
namespace {

// By the angle of irot, a quarter turn against the clock each: without imir, then with its mode 0
// (top and bottom change places) and 1 (left and right do), which come after the turn.
constexpr std::array<std::array<uint8_t, 4>, 3> kOrientations = {
    {{1, 8, 3, 6}, {4, 5, 2, 7}, {2, 7, 4, 5}}};

// libavif 1.0 has another name for the mode.
#if AVIF_VERSION >= 1000000
constexpr auto kMirrorMode = &avifImageMirror::axis;
#else
constexpr auto kMirrorMode = &avifImageMirror::mode;
#endif

#if AVIF_VERSION >= 1020000
bool CropOf(const avifImage& image, avifCropRect* crop, avifDiagnostics* details) {
  return avifCropRectFromCleanApertureBox(crop, &image.clap, image.width, image.height, details);
}
bool CutsChroma(const avifImage& image, const avifCropRect& crop) {
  return avifCropRectRequiresUpsampling(&crop, image.yuvFormat);
}
#else
// What cuts through chroma is refused as well.
bool CropOf(const avifImage& image, avifCropRect* crop, avifDiagnostics* details) {
  return avifCropRectConvertCleanApertureBox(crop, &image.clap, image.width, image.height,
                                             image.yuvFormat, details);
}
bool CutsChroma(const avifImage&, const avifCropRect&) { return false; }
#endif

}  // namespace

Status AvifStatus(avifResult result, const avifDiagnostics& details, StatusCode otherwise) {
  if (result == AVIF_RESULT_OK) return Status();
  if (result == AVIF_RESULT_OUT_OF_MEMORY) {
    return Status(StatusCode::kMemoryLimit, "no memory for libavif");
  }
  std::string message = std::string("AVIF: ") + avifResultToString(result);
  const size_t length = strnlen(details.error, sizeof(details.error));
  if (length > 0) message += ": " + std::string(details.error, length);
  return Status(otherwise, std::move(message));
}

Result<avifCropRect> AvifVisibleArea(const avifImage& image) {
  avifCropRect crop = {0, 0, image.width, image.height};
  if ((image.transformFlags & AVIF_TRANSFORM_CLAP) == 0) return crop;
  avifDiagnostics details = {};
  if (!CropOf(image, &crop, &details)) {
    return Status(StatusCode::kCorruptImage, "AVIF: the clean aperture is not within the image");
  }
  if (CutsChroma(image, crop)) {
    return Status(StatusCode::kUnsupportedFormat,
                  "AVIF: the clean aperture cuts through samples of chroma");
  }
  return crop;
}

uint8_t AvifOrientation(const avifImage& image) {
  const bool turns = (image.transformFlags & AVIF_TRANSFORM_IROT) != 0;
  const bool mirrors = (image.transformFlags & AVIF_TRANSFORM_IMIR) != 0;
  return kOrientations[mirrors ? 1 + (image.imir.*kMirrorMode & 1) : 0]
                      [turns ? image.irot.angle & 3 : 0];
}

void SetAvifOrientation(uint8_t orientation, avifImage* image) {
  // libavif takes it from EXIF, which may say something else.
  image->transformFlags &=
      ~static_cast<avifTransformFlags>(AVIF_TRANSFORM_IROT | AVIF_TRANSFORM_IMIR);
  for (uint8_t mirror = 0; mirror < 2; ++mirror) {
    for (uint8_t angle = 0; angle < 4; ++angle) {
      if (kOrientations[mirror][angle] != orientation) continue;
      if (angle != 0) image->transformFlags |= AVIF_TRANSFORM_IROT;
      if (mirror != 0) image->transformFlags |= AVIF_TRANSFORM_IMIR;
      image->irot.angle = angle;
      image->imir.*kMirrorMode = 0;
      return;
    }
  }
}

}  // namespace pixpress
