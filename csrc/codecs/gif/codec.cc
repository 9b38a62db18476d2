// The row of GIF in the registry. No library is behind it: docs/gif.md says why.

#include "codecs/codec.h"

#include <array>
#include <string>

#include "codecs/gif/animation.h"
#include "codecs/gif/blocks.h"
#include "codecs/gif/decode.h"
#include "codecs/gif/encode.h"
#include "codecs/gif/metadata.h"

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 1> kExtensions = {"gif"};

std::string Version() { return "built in"; }

}  // namespace

const Codec kGifCodec = {
    .format = Format::kGif,
    .name = "gif",
    .extensions = kExtensions,
    .version = Version,
    .sniff = HasGifSignature,
    .probe = ProbeGif,
    .read_metadata = ReadGifMetadata,
    .decoded_layout = GifDecodedLayout,
    .decode_memory_bytes = GifDecodeMemoryBytes,
    .decode = DecodeGif,
    .max_scale_denominator = 1,
    .accepted_layout = GifAcceptedLayout,
    .encode_memory_bytes = GifEncodeMemoryBytes,
    .encode = EncodeGif,
    .max_side_px = 65535,
    .can_hold_icc = false,
    .frames_memory_bytes = GifFramesMemoryBytes,
    .open_frames = OpenGifFrames,
    .animation_memory_bytes = GifAnimationMemoryBytes,
    .start_animation = StartGifAnimation,
    .rewrite = RewriteGif,
};

}  // namespace pixpress
