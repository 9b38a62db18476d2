// The row of WebP in the registry, and its probe.

#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <string>

#include "codecs/codec.h"
#include "codecs/webp_chunks.h"
#include "codecs/webp_decode.h"
#include "codecs/webp_encode.h"

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 1> kExtensions = {"webp"};

std::string Version() {
  const int version = WebPGetEncoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) +
         "." + std::to_string(version & 255);
}

bool Sniff(Bytes head) { return HasWebpSignature(head); }

Result<ImageInfo> Probe(Bytes head, uint64_t total_bytes, const Limits& limits) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(head.data(), head.size(), &features);
  ImageInfo info;
  info.format = Format::kWebp;
  info.planar.plane_count = 0;
  if (code == VP8_STATUS_NOT_ENOUGH_DATA && head.size() < total_bytes) {
    info.needs_more_input = true;
    return info;
  }
  if (code != VP8_STATUS_OK) {
    return Status(StatusCode::kCorruptImage, "the WebP header is damaged or cut off");
  }
  info.width = static_cast<uint32_t>(features.width);
  info.height = static_cast<uint32_t>(features.height);
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  info.has_alpha = features.has_alpha != 0;
  info.is_lossless = features.format == 2;
  if (features.has_animation != 0) {
    return Status(StatusCode::kUnsupportedFormat, "animated WebP is not supported by this build");
  }
  PIXPRESS_ASSIGN_OR_RETURN(const auto chunks, ListWebpChunks(head, /*may_end_early=*/true));
  for (const WebpChunk& chunk : chunks) info.has_icc |= chunk.type == "ICCP";
  return info;
}

}  // namespace

const Codec kWebpCodec = {
    .format = Format::kWebp,
    .name = "webp",
    .extensions = kExtensions,
    .version = Version,
    .sniff = Sniff,
    .probe = Probe,
    .read_metadata = ReadWebpMetadata,
    .decoded_layout = WebpDecodedLayout,
    .decode_memory_bytes = WebpDecodeMemoryBytes,
    .decode = DecodeWebp,
    .max_scale_denominator = 1,
    .accepted_layout = WebpAcceptedLayout,
    .encode_memory_bytes = WebpEncodeMemoryBytes,
    .encode = EncodeWebp,
    .max_side_px = 16383,
    .frames_memory_bytes = nullptr,
    .open_frames = nullptr,
    .animation_memory_bytes = nullptr,
    .start_animation = nullptr,
    .rewrite = RewriteWebp,
};

}  // namespace pixpress
