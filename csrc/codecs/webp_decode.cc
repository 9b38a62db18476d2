#include "codecs/webp_decode.h"

#include <webp/decode.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/webp_chunks.h"
#include "codecs/webp_frames.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr size_t kFeedBytes = 64 * 1024;

struct DeleteDecoder {
  void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
};

}  // namespace

ImageLayout WebpDecodedLayout(const ImageInfo& info, const DecodeOptions&) {
  return ImageLayout::Interleaved(info.width, info.height, ColorModel::kRgb, info.has_alpha);
}

uint64_t WebpDecoderBytes(uint32_t width, uint32_t height, bool is_lossless, bool has_alpha) {
  // Lossless keeps its own copy of the pixels, 4 bytes each, and transforms; alpha a plane.
  const uint64_t pixel_bytes = is_lossless ? 5 : has_alpha ? 2 : 0;
  return SaturatingAdd(SaturatingMul(SaturatingMul(width, height), pixel_bytes),
                       (4u << 20) + uint64_t{width} * 128);
}

uint64_t WebpDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  // The first frame of an animation may be lossless where others are not, and have alpha.
  const bool is_mixed = info.frames > 1;
  return SaturatingAdd(Image::MemoryBytes(WebpDecodedLayout(info, options)),
                       WebpDecoderBytes(info.width, info.height, info.is_lossless || is_mixed,
                                        info.has_alpha || is_mixed));
}

Status DecodeWebpPixels(Bytes image, uint32_t width, uint32_t height, bool with_alpha,
                        size_t stride_bytes, const WorkContext& context, uint8_t* out) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(image.data(), image.size(), &features) != VP8_STATUS_OK ||
      static_cast<uint32_t>(features.width) != width ||
      static_cast<uint32_t>(features.height) != height) {
    return Status(StatusCode::kCorruptImage, "the WebP image does not have the size of its frame");
  }
  const size_t row_bytes = size_t{width} * (with_alpha ? 4 : 3);
  const std::unique_ptr<WebPIDecoder, DeleteDecoder> decoder(
      WebPINewRGB(with_alpha ? MODE_RGBA : MODE_RGB, out, stride_bytes * (height - 1) + row_bytes,
                  static_cast<int>(stride_bytes)));
  if (decoder == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libwebp");
  VP8StatusCode code = VP8_STATUS_SUSPENDED;
  for (size_t at = 0; at < image.size() && code == VP8_STATUS_SUSPENDED; at += kFeedBytes) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const size_t end = std::min(image.size(), at + kFeedBytes);
    code = WebPIUpdate(decoder.get(), image.data(), end);
  }
  if (code == VP8_STATUS_OUT_OF_MEMORY) {
    return Status(StatusCode::kMemoryLimit, "no memory for libwebp");
  }
  if (code != VP8_STATUS_OK) {
    return Status(StatusCode::kCorruptImage, code == VP8_STATUS_SUSPENDED
                                                 ? "the file is truncated"
                                                 : "the WebP image data is damaged");
  }
  return Status();
}

Result<std::unique_ptr<RowSource>> DecodeWebp(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  PIXPRESS_ASSIGN_OR_RETURN(encoded, WholeRiff(encoded));
  PIXPRESS_ASSIGN_OR_RETURN(Image image,
                            Image::Create(WebpDecodedLayout(info, options), context.meter));
  WebpFrame frame{.place = {0, 0, info.width, info.height}, .image = encoded};
  WebpFrameReader frames(encoded);
  if (frames.is_animated()) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_found, frames.Next(info.width, info.height, &frame));
    if (!is_found) return Status(StatusCode::kCorruptImage, "the animation has no frames");
    // What the first frame does not cover.
    for (uint32_t y = 0; y < info.height; ++y) {
      std::memset(image.row(0, y), 0, image.layout().row_bytes(0));
    }
  }
  const size_t left_bytes = size_t{frame.place.x} * image.layout().planes[0].channels;
  PIXPRESS_RETURN_IF_ERROR(DecodeWebpPixels(frame.image, frame.place.width, frame.place.height,
                                            info.has_alpha, image.stride_bytes(0), context,
                                            image.row(0, frame.place.y) + left_bytes));
  return MakeImageSource(std::move(image), context.stop);
}

}  // namespace pixpress
