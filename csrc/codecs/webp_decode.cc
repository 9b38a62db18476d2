#include "codecs/webp_decode.h"

#include <webp/decode.h>

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "codecs/webp_chunks.h"
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

uint64_t WebpDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  const uint64_t pixels = SaturatingMul(info.width, info.height);
  // Lossless keeps its own copy of the pixels, 4 bytes each, and transforms; alpha a plane.
  const uint64_t library = SaturatingMul(pixels, info.is_lossless ? 5 : info.has_alpha ? 2 : 0);
  return SaturatingAdd(Image::MemoryBytes(WebpDecodedLayout(info, options)),
                       SaturatingAdd(library, (4u << 20) + uint64_t{info.width} * 128));
}

Result<std::unique_ptr<RowSource>> DecodeWebp(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  PIXPRESS_ASSIGN_OR_RETURN(encoded, WholeRiff(encoded));
  PIXPRESS_ASSIGN_OR_RETURN(Image image,
                            Image::Create(WebpDecodedLayout(info, options), context.meter));
  const size_t stride = image.stride_bytes(0);
  const std::unique_ptr<WebPIDecoder, DeleteDecoder> decoder(
      WebPINewRGB(info.has_alpha ? MODE_RGBA : MODE_RGB, image.row(0, 0), stride * info.height,
                  static_cast<int>(stride)));
  if (decoder == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libwebp");
  VP8StatusCode code = VP8_STATUS_SUSPENDED;
  for (size_t at = 0; at < encoded.size() && code == VP8_STATUS_SUSPENDED; at += kFeedBytes) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const size_t end = std::min(encoded.size(), at + kFeedBytes);
    code = WebPIUpdate(decoder.get(), encoded.data(), end);
  }
  if (code == VP8_STATUS_OUT_OF_MEMORY) {
    return Status(StatusCode::kMemoryLimit, "no memory for libwebp");
  }
  if (code != VP8_STATUS_OK) {
    return Status(StatusCode::kCorruptImage, code == VP8_STATUS_SUSPENDED
                                                 ? "the file is truncated"
                                                 : "the WebP image data is damaged");
  }
  return MakeImageSource(std::move(image), context.stop);
}

}  // namespace pixpress
