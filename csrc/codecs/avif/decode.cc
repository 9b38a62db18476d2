#include "codecs/avif/decode.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "codecs/avif/boxes.h"
#include "codecs/avif/library.h"
#include "codecs/avif/movie.h"
#include "image/exif.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint64_t kDecoderBytes = 8u << 20;
// Pictures that dav1d holds: as coded and with film grain; of sequences the references besides.
constexpr uint64_t kStillPictures = 2;
constexpr uint64_t kSequencePictures = 10;

// What dav1d and libavif hold at most: pictures of 4:4:4 and their alpha, and tables for blocks.
uint64_t LibraryBytes(const ImageInfo& info, uint64_t pictures) {
  const uint64_t sample_bytes = info.bits == 16 ? 2 : 1;
  const uint64_t planes = info.has_alpha ? 4 : 3;
  const uint64_t pixels = SaturatingMul(info.width, info.height);
  return SaturatingAdd(SaturatingMul(pixels, (pictures * planes + 1) * sample_bytes),
                       kDecoderBytes);
}

// kLimitExceeded if that is why libavif refused the file: it has one answer for all that is wrong.
Status CheckExtents(Bytes encoded, const Limits& limits) {
  const AvifExtents extents = LargestAvifExtents(encoded);
  if (extents.pixels() == 0) return Status();
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(extents.width, extents.height, limits));
  if (extents.pixels() <= AVIF_DEFAULT_IMAGE_SIZE_LIMIT) return Status();
  return Status(StatusCode::kLimitExceeded, "the image is " + std::to_string(extents.width) +
                                                " x " + std::to_string(extents.height) +
                                                " pixels; libavif takes at most " +
                                                std::to_string(AVIF_DEFAULT_IMAGE_SIZE_LIMIT));
}

// A parsed header. `max_pixels` is for the library, whose refusal is "corrupt": the caller checks
// the header's own size first.
Result<AvifDecoder> OpenDecoder(Bytes encoded, uint64_t max_pixels, const Limits& limits) {
  AvifDecoder decoder(avifDecoderCreate());
  if (decoder == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libavif");
  // dav1d prints what it thinks of damaged data; libavif has no way to turn that off.
  decoder->maxThreads = 1;
  constexpr uint64_t kMost = AVIF_DEFAULT_IMAGE_SIZE_LIMIT;
  decoder->imageSizeLimit = static_cast<uint32_t>(std::clamp<uint64_t>(max_pixels, 1, kMost));
  decoder->imageDimensionLimit = 0;  // The pixels count, not the sides.
  decoder->imageCountLimit = limits.max_frames;
  // Writers forget the pixel format property; nothing depends on it.
  decoder->strictFlags = AVIF_STRICT_ENABLED & ~static_cast<uint32_t>(AVIF_STRICT_PIXI_REQUIRED);
  avifResult result = avifDecoderSetIOMemory(decoder.get(), encoded.data(), encoded.size());
  if (result == AVIF_RESULT_OK) result = avifDecoderParse(decoder.get());
  if (result != AVIF_RESULT_OK) {
    PIXPRESS_RETURN_IF_ERROR(CheckExtents(encoded, limits));
    return AvifStatus(result, decoder->diag, StatusCode::kCorruptImage);
  }
  const avifImage& image = *decoder->image;
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(image.width, image.height, limits));
  PIXPRESS_RETURN_IF_ERROR(
      CheckMetadataBytes(uint64_t{image.icc.size} + image.exif.size + image.xmp.size, limits));
  return decoder;
}

// The visible pixels of the picture that the decoder holds, as `layout` says.
Status CopyPixels(const avifImage& decoded, Image* image) {
  const ImageLayout& layout = image->layout();
  PIXPRESS_ASSIGN_OR_RETURN(const avifCropRect area, AvifVisibleArea(decoded));
  if (area.width != layout.width || area.height != layout.height) {
    return Status(StatusCode::kCorruptImage, "AVIF: the picture is not of the size in the header");
  }
  const AvifImage view(avifImageCreateEmpty());
  if (view == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libavif");
  avifDiagnostics none = {};
  PIXPRESS_RETURN_IF_ERROR(AvifStatus(avifImageSetViewRect(view.get(), &decoded, &area), none,
                                      StatusCode::kCorruptImage));
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, view.get());
  rgb.depth = layout.bits;
  rgb.format = layout.has_alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
  // Without libyuv the arithmetic is the same everywhere.
  rgb.avoidLibYUV = AVIF_TRUE;
  rgb.chromaUpsampling = AVIF_CHROMA_UPSAMPLING_BILINEAR;
  rgb.pixels = image->row(0, 0);
  rgb.rowBytes = static_cast<uint32_t>(image->stride_bytes(0));
  return AvifStatus(avifImageYUVToRGB(view.get(), &rgb), none, StatusCode::kCorruptImage);
}

// libavif gives a picture whole or not at all.
Status CannotSalvage() {
  return Status(StatusCode::kCorruptImage, "AVIF: damaged images cannot be salvaged");
}

Status DecodeNext(avifDecoder* decoder) {
  return AvifStatus(avifDecoderNextImage(decoder), decoder->diag, StatusCode::kCorruptImage);
}

class AvifFrames final : public FrameSource {
 public:
  AvifFrames(AvifDecoder decoder, const ImageInfo& info, const WorkContext& context)
      : decoder_(std::move(decoder)),
        info_{info.width, info.height, info.frames, info.loop_count},
        stop_(context.stop) {}

  Status Init(Meter& meter) {
    PIXPRESS_ASSIGN_OR_RETURN(
        canvas_, Image::Create(ImageLayout::Interleaved(info_.width, info_.height, ColorModel::kRgb,
                                                        /*has_alpha=*/true),
                               meter));
    return Status();
  }

  const AnimationInfo& info() const override { return info_; }

  Status Next(Frame* frame) override {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    *frame = Frame();
    if (given_ == info_.frames) return Status();
    ++given_;
    PIXPRESS_RETURN_IF_ERROR(DecodeNext(decoder_.get()));
    PIXPRESS_RETURN_IF_ERROR(CopyPixels(*decoder_->image, &canvas_));
    frame->canvas = &canvas_;
    const avifImageTiming& timing = decoder_->imageTiming;
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
    frame->duration = {static_cast<uint32_t>(std::min(timing.durationInTimescales, kMost)),
                       static_cast<uint32_t>(std::clamp<uint64_t>(timing.timescale, 1, kMost))};
    return Status();
  }

 private:
  const AvifDecoder decoder_;
  const AnimationInfo info_;
  const StopToken stop_;
  Image canvas_;
  uint32_t given_ = 0;
};

}  // namespace

Result<ImageInfo> ProbeAvif(Bytes head, uint64_t total_bytes, const Limits& limits) {
  ImageInfo info;
  info.format = Format::kAvif;
  info.planar.plane_count = 0;
  if (head.size() < total_bytes) {  // Its boxes may refer to any place of the file.
    info.needs_more_input = true;
    return info;
  }
  PIXPRESS_ASSIGN_OR_RETURN(const AvifDecoder decoder,
                            OpenDecoder(head, AVIF_DEFAULT_IMAGE_SIZE_LIMIT, limits));
  const avifImage& image = *decoder->image;
  PIXPRESS_ASSIGN_OR_RETURN(const avifCropRect area, AvifVisibleArea(image));
  info.width = area.width;
  info.height = area.height;
  info.frames = static_cast<uint32_t>(std::max(decoder->imageCount, 1));
  // Layers of one progressive image are not frames.
  if (decoder->progressiveState != AVIF_PROGRESSIVE_STATE_UNAVAILABLE) info.frames = 1;
  info.loop_count = info.frames > 1 ? AvifLoopCount(head) : 1;
  info.orientation = AvifOrientation(image);
  info.has_alpha = decoder->alphaPresent;
  info.bits = image.depth > 8 ? 16 : 8;
  info.has_icc = image.icc.size > 0;
  info.is_lossless = image.matrixCoefficients == AVIF_MATRIX_COEFFICIENTS_IDENTITY;
  return info;
}

ImageLayout AvifDecodedLayout(const ImageInfo& info, const DecodeOptions&) {
  return ImageLayout::Interleaved(info.width, info.height, ColorModel::kRgb, info.has_alpha,
                                  info.bits);
}

uint64_t AvifDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  return SaturatingAdd(Image::MemoryBytes(AvifDecodedLayout(info, options)),
                       LibraryBytes(info, kStillPictures));
}

Result<std::unique_ptr<RowSource>> DecodeAvif(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  if (context.salvage != nullptr) return CannotSalvage();
  PIXPRESS_ASSIGN_OR_RETURN(const AvifDecoder decoder,
                            OpenDecoder(encoded, limits.max_pixels, limits));
  PIXPRESS_RETURN_IF_ERROR(DecodeNext(decoder.get()));
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  PIXPRESS_ASSIGN_OR_RETURN(Image image,
                            Image::Create(AvifDecodedLayout(info, options), context.meter));
  PIXPRESS_RETURN_IF_ERROR(CopyPixels(*decoder->image, &image));
  return MakeImageSource(std::move(image), context.stop);
}

uint64_t AvifFramesMemoryBytes(const ImageInfo& info) {
  ImageInfo canvas = info;
  canvas.has_alpha = true;
  const ImageLayout layout =
      ImageLayout::Interleaved(info.width, info.height, ColorModel::kRgb, /*has_alpha=*/true);
  return SaturatingAdd(Image::MemoryBytes(layout), LibraryBytes(canvas, kSequencePictures));
}

Result<std::unique_ptr<FrameSource>> OpenAvifFrames(Bytes encoded, const ImageInfo& info,
                                                    const Limits& limits,
                                                    const WorkContext& context) {
  if (context.salvage != nullptr) return CannotSalvage();
  PIXPRESS_ASSIGN_OR_RETURN(AvifDecoder decoder, OpenDecoder(encoded, limits.max_pixels, limits));
  auto frames = std::make_unique<AvifFrames>(std::move(decoder), info, context);
  PIXPRESS_RETURN_IF_ERROR(frames->Init(context.meter));
  return std::unique_ptr<FrameSource>(std::move(frames));
}

Result<Metadata> ReadAvifMetadata(Bytes encoded, const Limits& limits) {
  PIXPRESS_ASSIGN_OR_RETURN(const AvifDecoder decoder,
                            OpenDecoder(encoded, limits.max_pixels, limits));
  const avifImage& image = *decoder->image;
  Metadata metadata;
  metadata.icc.assign(image.icc.data, image.icc.data + image.icc.size);
  const auto exif = TiffBlock({image.exif.data, image.exif.size});
  metadata.exif.assign(exif.begin(), exif.end());
  metadata.xmp.assign(image.xmp.data, image.xmp.data + image.xmp.size);
  metadata.orientation = AvifOrientation(image);
  const bool is_srgb = image.colorPrimaries == AVIF_COLOR_PRIMARIES_BT709 &&
                       image.transferCharacteristics == AVIF_TRANSFER_CHARACTERISTICS_SRGB;
  if (metadata.icc.empty() && image.colorPrimaries > AVIF_COLOR_PRIMARIES_UNSPECIFIED - 1 &&
      image.colorPrimaries != AVIF_COLOR_PRIMARIES_UNSPECIFIED && !is_srgb) {
    metadata.png_color.cicp = {static_cast<uint8_t>(image.colorPrimaries),
                               static_cast<uint8_t>(image.transferCharacteristics), 0, 1};
  }
  return metadata;
}

}  // namespace pixpress
