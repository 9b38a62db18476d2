// The row of WebP in the registry, and its probe.

#include "codecs/codec.h"

#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <string>

#include "codecs/webp/animation_decode.h"
#include "codecs/webp/animation_encode.h"
#include "codecs/webp/chunks.h"
#include "codecs/webp/decode.h"
#include "codecs/webp/encode.h"
#include "codecs/webp/frames.h"
#include "image/exif.h"

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 1> kExtensions = {"webp"};

std::string Version() {
  const int version = WebPGetEncoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) +
         "." + std::to_string(version & 255);
}

bool Sniff(Bytes head) { return HasWebpSignature(head); }

// VP8X comes first and says whether EXIF follows the image; the other chunks are before that.
void ReadChunks(Bytes head, ImageInfo* info) {
  constexpr uint8_t kHasExif = 0x08;
  bool expects_exif = false;
  WebpChunkReader reader(head);
  WebpChunk chunk;
  WebpChunkReader::Step step;
  while ((step = reader.Next(&chunk)) == WebpChunkReader::Step::kChunk) {
    if (chunk.type == "VP8X" && !chunk.data.empty()) expects_exif = chunk.data[0] & kHasExif;
    if (chunk.type == "ICCP") info->has_icc = true;
    if (chunk.type == "EXIF") {
      info->orientation = ParseExif(TiffBlock(chunk.data)).orientation;
      expects_exif = false;
    }
  }
  info->needs_more_input = expects_exif && step == WebpChunkReader::Step::kCut;
}

// All frames have to be seen. `info` is what the header says.
Result<ImageInfo> ProbeAnimation(Bytes head, bool is_partial, ImageInfo info) {
  uint64_t frames = 0;
  info.loop_count = 0;
  info.is_lossless = true;
  WebpChunkReader reader(head);
  WebpChunk chunk;
  WebpChunkReader::Step step;
  while ((step = reader.Next(&chunk)) == WebpChunkReader::Step::kChunk) {
    if (chunk.type == "ANIM") info.loop_count = WebpLoopCount(chunk.data);
    if (chunk.type == "ICCP") info.has_icc = true;
    if (chunk.type == "EXIF") info.orientation = ParseExif(TiffBlock(chunk.data)).orientation;
    if (chunk.type != "ANMF") continue;
    const auto frame = ParseWebpFrame(chunk.data, info.width, info.height);
    if (!frame.ok() && frames > 0) break;  // No matter of the header: who decodes will say.
    PIXPRESS_RETURN_IF_ERROR(frame.status());
    ++frames;
    info.is_lossless &= frame.value().is_lossless;
  }
  info.needs_more_input = is_partial && step == WebpChunkReader::Step::kCut;
  if (info.needs_more_input) return info;
  if (frames == 0 && step == WebpChunkReader::Step::kCut && chunk.type == "ANMF" &&
      ParseWebpFrame(chunk.data, info.width, info.height, /*is_cut=*/true).ok()) {
    frames = 1;
  }
  if (frames == 0) return Status(StatusCode::kCorruptImage, "the animation has no frames");
  info.frames = static_cast<uint32_t>(std::min<uint64_t>(frames, UINT32_MAX));
  return info;
}

Result<ImageInfo> Probe(Bytes head, uint64_t total_bytes, const Limits& limits) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(head.data(), head.size(), &features);
  const bool is_partial = head.size() < total_bytes;
  ImageInfo info;
  info.format = Format::kWebp;
  info.planar.plane_count = 0;
  if (code == VP8_STATUS_NOT_ENOUGH_DATA && is_partial) {
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
  if (features.has_animation != 0) return ProbeAnimation(head, is_partial, info);
  ReadChunks(head, &info);
  // Which kind of image follows a long profile decides about memory.
  info.needs_more_input |= features.format == 0;
  info.needs_more_input &= is_partial;
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
    .obeys_quality = [](const EncodeOptions& o) { return !o.lossless && o.near_lossless >= 100; },
    .frames_memory_bytes = WebpFramesMemoryBytes,
    .open_frames = OpenWebpFrames,
    .animation_memory_bytes = WebpAnimationMemoryBytes,
    .start_animation = StartWebpAnimation,
    .rewrite = RewriteWebp,
};

}  // namespace pixpress
