// The row of AVIF in the registry.

#include "codecs/codec.h"

#include <array>
#include <string>

#include "codecs/avif/animation_encode.h"
#include "codecs/avif/boxes.h"
#include "codecs/avif/decode.h"
#include "codecs/avif/encode.h"
#include "codecs/avif/library.h"
#include "codecs/avif/quantizer.h"

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 1> kExtensions = {"avif"};

std::string Version() {
  std::array<char, 256> codecs = {};
  avifCodecVersions(codecs.data());
  return std::string("libavif ") + avifVersion() + " (" + codecs.data() + ")";
}

}  // namespace

const Codec kAvifCodec = {
    .format = Format::kAvif,
    .name = "avif",
    .extensions = kExtensions,
    .version = Version,
    .sniff = HasAvifSignature,
    .probe = ProbeAvif,
    .read_metadata = ReadAvifMetadata,
    .decoded_layout = AvifDecodedLayout,
    .decode_memory_bytes = AvifDecodeMemoryBytes,
    .decode = DecodeAvif,
    .max_scale_denominator = 1,
    .accepted_layout = AvifAcceptedLayout,
    .encode_memory_bytes = AvifEncodeMemoryBytes,
    .encode = EncodeAvif,
    .max_side_px = AVIF_DEFAULT_IMAGE_DIMENSION_LIMIT,  // No reader on libavif takes more.
    .obeys_quality = [](const EncodeOptions& o) { return !o.lossless; },
    .quality_level = AvifQuantizer,
    .frames_memory_bytes = AvifFramesMemoryBytes,
    .open_frames = OpenAvifFrames,
    .animation_memory_bytes = AvifAnimationMemoryBytes,
    .start_animation = StartAvifAnimation,
    // libaom asserts that it has no statistics too few, which a cut of scenes where one group of
    // frames ends can make false (3.6, av1_twopass_postencode_update).
    .animations_may_abort = true,
    .rewrite = RewriteAvif,
};

}  // namespace pixpress
