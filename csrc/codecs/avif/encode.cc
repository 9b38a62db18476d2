#include "codecs/avif/encode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/avif/library.h"
#include "codecs/avif/quantizer.h"
#include "image/image.h"
#include "kernels/convert.h"

namespace pixpress {
namespace {

// What libaom holds per pixel of 8-bit 4:2:0 (measured 18 at 6 megapixels), of 4:4:4 (36), for
// alpha (6), and for its search at the higher efforts whatever the size (18 MB).
constexpr uint64_t kCoarseChromaBytesPerPixel = 22;
constexpr uint64_t kFullChromaBytesPerPixel = 40;
constexpr uint64_t kAlphaBytesPerPixel = 10;
constexpr uint64_t kEncoderBytes = 24u << 20;

// Speed 10 is 9 in libaom 3.6, and 7 and 8 do without much on graphics: see docs/efforts.md.
int SpeedOf(const EncodeOptions& options) {
  if (options.expert.avif_speed >= 0) return options.expert.avif_speed;
  constexpr std::array<int, 10> kSpeeds = {9, 8, 7, 6, 6, 5, 5, 4, 3, 2};
  return kSpeeds[static_cast<size_t>(std::clamp(options.effort, 1, 10) - 1)];
}

avifPixelFormat FormatOf(const ImageLayout& layout, const EncodeOptions& options) {
  if (options.lossless) return AVIF_PIXEL_FORMAT_YUV444;
  if (layout.color == ColorModel::kGray) return AVIF_PIXEL_FORMAT_YUV400;
  const bool is_planar = layout.color == ColorModel::kYCbCr;
  const int h = is_planar ? layout.max_h_samples() : options.chroma_h;
  const int v = is_planar ? layout.max_v_samples() : options.chroma_v;
  if (h == 1) return AVIF_PIXEL_FORMAT_YUV444;  // There is no 4:4:0.
  return v == 1 ? AVIF_PIXEL_FORMAT_YUV422 : AVIF_PIXEL_FORMAT_YUV420;
}

// RGB(A) of 8 bits to planes in integer arithmetic; coarse chroma is the mean of its cell.
class PlaneFiller {
 public:
  PlaneFiller(const Image& from, avifImage* to) : from_(from), to_(to) {
    const size_t width = from.layout().width;
    for (std::vector<uint8_t>& line : lines_) line.resize(width * (&line == &lines_[0] ? 3 : 1));
    for (std::vector<uint32_t>& sum : sums_) sum.resize(width);
  }

  void FillYcbcr(uint32_t chroma_h, uint32_t chroma_v) {
    const ImageLayout& layout = from_.layout();
    for (uint32_t y = 0; y < layout.height; ++y) {
      RgbToYcbcrRow(RgbOf(y), layout.width, Row(0, y), lines_[1].data(), lines_[2].data());
      AddChroma(y, chroma_h, chroma_v);
    }
  }

  // Green, blue and red as luma and chroma of the identity matrix.
  void FillIdentity() {
    const ImageLayout& layout = from_.layout();
    for (uint32_t y = 0; y < layout.height; ++y) {
      const uint8_t* rgb = RgbOf(y);
      for (uint32_t x = 0; x < layout.width; ++x) {
        Row(0, y)[x] = rgb[3 * x + 1];
        Row(1, y)[x] = rgb[3 * x + 2];
        Row(2, y)[x] = rgb[3 * x];
      }
    }
  }

  void FillAlpha() {
    const ImageLayout& layout = from_.layout();
    const size_t channels = layout.planes[0].channels;
    for (uint32_t y = 0; y < layout.height; ++y) {
      uint8_t* alpha = to_->alphaPlane + size_t{y} * to_->alphaRowBytes;
      const uint8_t* pixels = from_.row(0, y) + channels - 1;
      for (uint32_t x = 0; x < layout.width; ++x) alpha[x] = pixels[x * channels];
    }
  }

 private:
  uint8_t* Row(int plane, uint32_t y) {
    return to_->yuvPlanes[plane] + size_t{y} * to_->yuvRowBytes[plane];
  }

  const uint8_t* RgbOf(uint32_t y) {
    const ImageLayout& layout = from_.layout();
    if (layout.color == ColorModel::kRgb && !layout.has_alpha) return from_.row(0, y);
    ConvertChannelsRow(from_.row(0, y), layout.color, layout.has_alpha, ColorModel::kRgb, false, 8,
                       layout.width, lines_[0].data());
    return lines_[0].data();
  }

  void AddChroma(uint32_t y, uint32_t h, uint32_t v) {
    const ImageLayout& layout = from_.layout();
    const bool is_last = y % v == v - 1 || y + 1 == layout.height;
    const uint32_t rows = y % v + 1;
    for (int plane = 1; plane <= 2; ++plane) {
      const uint8_t* in = lines_[plane].data();
      uint32_t* sum = sums_[plane - 1].data();
      if (y % v == 0) std::fill_n(sum, layout.width, 0);
      for (uint32_t x = 0; x < layout.width; ++x) sum[x / h] += in[x];
      if (!is_last) continue;
      uint8_t* out = Row(plane, y / v);
      for (uint32_t x = 0; x < layout.width; x += h) {
        const uint32_t count = rows * std::min(h, layout.width - x);
        out[x / h] = static_cast<uint8_t>((sum[x / h] + count / 2) / count);
      }
    }
  }

  const Image& from_;
  avifImage* const to_;
  std::array<std::vector<uint8_t>, 3> lines_;  // RGB, then a row of Cb and of Cr.
  std::array<std::vector<uint32_t>, 2> sums_;
};

void CopyPlane(const Image& from, size_t plane, uint8_t* to, size_t stride_bytes) {
  for (uint32_t y = 0; y < from.layout().planes[plane].height; ++y) {
    std::memcpy(to + y * stride_bytes, from.row(plane, y), from.layout().row_bytes(plane));
  }
}

Status Fill16(const Image& from, avifImage* to) {
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, to);
  rgb.depth = 16;
  rgb.format = from.layout().has_alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
  rgb.avoidLibYUV = AVIF_TRUE;
  rgb.chromaDownsampling = AVIF_CHROMA_DOWNSAMPLING_AVERAGE;
  rgb.pixels = const_cast<uint8_t*>(from.row(0, 0));
  rgb.rowBytes = static_cast<uint32_t>(from.stride_bytes(0));
  avifDiagnostics none = {};
  return AvifStatus(avifImageRGBToYUV(to, &rgb), none, StatusCode::kInternal);
}

Status Fill(const Image& from, const EncodeOptions& options, avifImage* to) {
  const ImageLayout& layout = from.layout();
  if (layout.bits == 16) return Fill16(from, to);
  const avifPlanesFlags planes = AVIF_PLANES_YUV | (layout.has_alpha ? AVIF_PLANES_A : 0);
  avifDiagnostics none = {};
  PIXPRESS_RETURN_IF_ERROR(
      AvifStatus(avifImageAllocatePlanes(to, planes), none, StatusCode::kInternal));
  const bool is_stored = layout.color == ColorModel::kYCbCr ||
                         (layout.color == ColorModel::kGray && !layout.has_alpha);
  if (is_stored && !options.lossless) {
    for (size_t p = 0; p < layout.plane_count; ++p) {
      CopyPlane(from, p, to->yuvPlanes[p], to->yuvRowBytes[p]);
    }
    return Status();
  }
  PlaneFiller filler(from, to);
  if (options.lossless) {
    filler.FillIdentity();
  } else {
    const bool is_full = to->yuvFormat == AVIF_PIXEL_FORMAT_YUV444;
    filler.FillYcbcr(is_full ? 1 : 2, to->yuvFormat == AVIF_PIXEL_FORMAT_YUV420 ? 2 : 1);
  }
  if (layout.has_alpha) filler.FillAlpha();
  return Status();
}

Status SetMetadata(const Metadata& metadata, avifImage* image) {
  if (!metadata.icc.empty()) {
    PIXPRESS_RETURN_IF_ERROR(
        SetAvif(avifImageSetProfileICC, image, metadata.icc.data(), metadata.icc.size()));
  } else if (metadata.png_color.cicp) {
    image->colorPrimaries = (*metadata.png_color.cicp)[0];
    image->transferCharacteristics = (*metadata.png_color.cicp)[1];
  }
  if (!metadata.exif.empty()) {
    PIXPRESS_RETURN_IF_ERROR(
        SetAvif(avifImageSetMetadataExif, image, metadata.exif.data(), metadata.exif.size()));
  }
  if (!metadata.xmp.empty()) {
    PIXPRESS_RETURN_IF_ERROR(
        SetAvif(avifImageSetMetadataXMP, image, metadata.xmp.data(), metadata.xmp.size()));
  }
  SetAvifOrientation(metadata.orientation, image);
  return Status();
}

}  // namespace

Result<AvifImage> MakeAvifImage(const Image& pixels, const EncodeOptions& options,
                                const Metadata& metadata) {
  const ImageLayout& layout = pixels.layout();
  AvifImage image(avifImageCreate(layout.width, layout.height, layout.bits == 16 ? 10 : 8,
                                  FormatOf(layout, options)));
  if (image == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libavif");
  image->yuvRange = AVIF_RANGE_FULL;
  image->colorPrimaries = AVIF_COLOR_PRIMARIES_BT709;
  image->transferCharacteristics = AVIF_TRANSFER_CHARACTERISTICS_SRGB;
  image->matrixCoefficients = options.lossless
                                  ? avifMatrixCoefficients{AVIF_MATRIX_COEFFICIENTS_IDENTITY}
                                  : avifMatrixCoefficients{AVIF_MATRIX_COEFFICIENTS_BT601};
  PIXPRESS_RETURN_IF_ERROR(SetMetadata(metadata, image.get()));
  PIXPRESS_RETURN_IF_ERROR(Fill(pixels, options, image.get()));
  return image;
}

Status ConfigureAvif(const EncodeOptions& options, avifEncoder* encoder) {
  const int quality = options.lossless ? 100 : options.quality;
  const int alpha_quality = options.lossless ? 100 : options.alpha_quality;
  encoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
  encoder->maxThreads = 1;
  encoder->speed = SpeedOf(options);
#if AVIF_VERSION >= 1000000  // It has bounds of the quantizer still, but takes their mean for it.
  encoder->quality = quality;
  encoder->qualityAlpha = alpha_quality;
#else
  encoder->minQuantizer = std::max(AvifQuantizer(quality) - 1, 0);
  encoder->maxQuantizer = options.lossless ? 0 : kWorstAvifQuantizer;
  encoder->minQuantizerAlpha = encoder->maxQuantizerAlpha = AvifQuantizer(alpha_quality);
#endif
  if (options.lossless) return Status();
  // Constant quality: every block may choose around the level.
  PIXPRESS_RETURN_IF_ERROR(SetAvif(avifEncoderSetCodecSpecificOption, encoder, "end-usage", "q"));
  return SetAvif(avifEncoderSetCodecSpecificOption, encoder, "color:cq-level",
                 std::to_string(AvifQuantizer(quality)).c_str());
}

ImageLayout AvifAcceptedLayout(const ImageLayout& from, const EncodeOptions& options) {
  if (from.color == ColorModel::kYCbCr && !options.lossless) {
    return ImageLayout::Ycbcr(from.width, from.height, options.chroma_h,
                              options.chroma_h == 1 ? 1 : options.chroma_v);
  }
  const bool stays_gray =
      from.color == ColorModel::kGray && !from.has_alpha && from.bits == 8 && !options.lossless;
  return ImageLayout::Interleaved(from.width, from.height,
                                  stays_gray ? ColorModel::kGray : ColorModel::kRgb, from.has_alpha,
                                  from.bits);
}

uint64_t AvifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const uint64_t pixels = SaturatingMul(layout.width, layout.height);
  uint64_t per_pixel = FormatOf(layout, options) == AVIF_PIXEL_FORMAT_YUV444
                           ? kFullChromaBytesPerPixel
                           : kCoarseChromaBytesPerPixel;
  if (layout.bits == 16) per_pixel = per_pixel * 3 / 2;
  if (layout.has_alpha) per_pixel += kAlphaBytesPerPixel;
  return SaturatingAdd(SaturatingAdd(Image::MemoryBytes(layout), SaturatingMul(pixels, per_pixel)),
                       kEncoderBytes);
}

Status EncodeAvif(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out) {
  if (options.lossless && source.layout().bits == 16) {
    return Status(StatusCode::kOption, "AVIF has at most 12 bits: 16 are not kept without loss");
  }
  AvifImage image;
  {
    PIXPRESS_ASSIGN_OR_RETURN(const Image pixels, CollectRows(source, context));
    PIXPRESS_ASSIGN_OR_RETURN(image, MakeAvifImage(pixels, options, metadata));
  }
  const AvifEncoder encoder(avifEncoderCreate());
  if (encoder == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libavif");
  PIXPRESS_RETURN_IF_ERROR(ConfigureAvif(options, encoder.get()));
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  AvifBytes bytes;
  PIXPRESS_RETURN_IF_ERROR(AvifStatus(avifEncoderWrite(encoder.get(), image.get(), &bytes.data),
                                      encoder->diag, StatusCode::kInternal));
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  if (context.progress != nullptr) context.progress->Report(Stage::kEncode, 1.0);
  return out->Append(Bytes(bytes.data.data, bytes.data.size));
}

}  // namespace pixpress
