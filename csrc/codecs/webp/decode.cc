#include "codecs/webp/decode.h"

#include <webp/decode.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/webp/chunks.h"
#include "codecs/webp/frames.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr size_t kFeedBytes = 64 * 1024;
// What is to be salvaged: rows that a piece gave before the damage in it may be lost.
constexpr size_t kLeastFeedBytes = 256;
constexpr size_t kSalvagePieces = 64;

size_t FeedBytes(Bytes image, bool is_salvage) {
  return is_salvage ? std::clamp(image.size() / kSalvagePieces, kLeastFeedBytes, kFeedBytes)
                    : kFeedBytes;
}

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
  const size_t feed_bytes = FeedBytes(image, context.salvage != nullptr);
  for (size_t at = 0; at < image.size() && code == VP8_STATUS_SUSPENDED; at += feed_bytes) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const size_t end = std::min(image.size(), at + feed_bytes);
    code = WebPIUpdate(decoder.get(), image.data(), end);
  }
  if (code == VP8_STATUS_OUT_OF_MEMORY) {
    return Status(StatusCode::kMemoryLimit, "no memory for libwebp");
  }
  int rows = 0;
  if (code == VP8_STATUS_OK) {
    rows = static_cast<int>(height);
  } else if (context.salvage == nullptr ||
             WebPIDecGetRGB(decoder.get(), &rows, nullptr, nullptr, nullptr) == nullptr ||
             rows <= 0) {
    return Status(StatusCode::kCorruptImage, code == VP8_STATUS_SUSPENDED
                                                 ? "the file is truncated"
                                                 : "the WebP image data is damaged");
  }
  if (context.salvage == nullptr) return Status();
  context.salvage->Note(static_cast<uint32_t>(rows), height, "rows");
  // Transparent, or black where there is no alpha.
  for (uint32_t y = static_cast<uint32_t>(rows); y < height; ++y) {
    std::memset(out + y * stride_bytes, 0, row_bytes);
  }
  return Status();
}

Result<std::unique_ptr<RowSource>> DecodeWebp(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  if (context.salvage == nullptr) {
    PIXPRESS_ASSIGN_OR_RETURN(encoded, WholeRiff(encoded));
  }
  PIXPRESS_ASSIGN_OR_RETURN(Image image,
                            Image::Create(WebpDecodedLayout(info, options), context.meter));
  WebpFrame frame{.place = {0, 0, info.width, info.height}, .image = encoded};
  WebpFrameReader frames(encoded, /*takes_cut=*/context.salvage != nullptr);
  if (frames.is_animated()) {
    if (context.salvage == nullptr) PIXPRESS_RETURN_IF_ERROR(CheckWebpFrames(encoded, info));
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
