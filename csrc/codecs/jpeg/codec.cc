#include <array>
#include <string>

#include "codecs/jpeg/decode.h"
#include "codecs/jpeg/encode.h"
#include "codecs/jpeg/error.h"
#include "codecs/jpeg/metadata.h"
#include "codecs/jpeg/transcode.h"

#define PIXPRESS_STRING_INNER(x) #x
#define PIXPRESS_STRING(x) PIXPRESS_STRING_INNER(x)

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 4> kExtensions = {"jpg", "jpeg", "jpe", "jfif"};

std::string JpegVersion() {
#ifdef LIBJPEG_TURBO_VERSION
  return "libjpeg-turbo " PIXPRESS_STRING(LIBJPEG_TURBO_VERSION);
#else
  return "libjpeg " PIXPRESS_STRING(JPEG_LIB_VERSION);
#endif
}

bool SniffJpeg(Bytes head) {
  return head.size() >= 3 && head[0] == 0xFF && head[1] == 0xD8 && head[2] == 0xFF;
}

}  // namespace

const Codec kJpegCodec = {
    .format = Format::kJpeg,
    .name = "jpeg",
    .extensions = kExtensions,
    .version = JpegVersion,
    .sniff = SniffJpeg,
    .probe = ProbeJpeg,
    .read_metadata = ReadJpegMetadata,
    .decoded_layout = JpegDecodedLayout,
    .decode_memory_bytes = JpegDecodeMemoryBytes,
    .decode = DecodeJpeg,
    .max_scale_denominator = 8,
    .accepted_layout = JpegAcceptedLayout,
    .encode_memory_bytes = JpegEncodeMemoryBytes,
    .encode = EncodeJpeg,
    .max_side_px = 65500,
    .obeys_quality = [](const EncodeOptions&) { return true; },
    .frames_memory_bytes = nullptr,
    .open_frames = nullptr,
    .animation_memory_bytes = nullptr,
    .start_animation = nullptr,
    .rewrite = RewriteJpeg,
    .can_transcode = CanTranscodeJpeg,
    .transcode_memory_bytes = JpegTranscodeMemoryBytes,
    .transcode = TranscodeJpeg,
};

}  // namespace pixpress
