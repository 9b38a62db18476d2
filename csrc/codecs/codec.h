#pragma once
// What a format is to the rest of the core: one row of functions. Codecs are pure: no threads, no
// globals, all memory through the context's meter, the stop token polled per stripe or hook.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "codecs/encode_options.h"
#include "image/frame.h"
#include "image/limits.h"
#include "image/metadata.h"
#include "image/pixel_format.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "memory/byte_chain.h"

namespace pixpress {

// kAuto is no format, but the wish for whichever is smallest.
enum class Format : uint8_t { kUnknown, kJpeg, kPng, kWebp, kGif, kAvif, kAuto };

using Bytes = std::span<const uint8_t>;

// What the header of an encoded image says. Sizes are as stored, before orientation.
struct ImageInfo {
  Format format = Format::kUnknown;
  // The head that was given ends before the header does: give more. Nothing else is set then.
  bool needs_more_input = false;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t frames = 1;
  uint32_t loop_count = 1;  // Of animations: how often all frames are shown; 0: for ever.
  uint8_t orientation = 1;
  // As decoded without planar output: color model, alpha and depth, after palette expansion.
  ColorModel color = ColorModel::kRgb;
  bool has_alpha = false;
  uint8_t bits = 8;
  bool is_indexed = false;      // PNG with a palette, GIF.
  bool is_progressive = false;  // JPEG of several passes, interlaced PNG.
  bool is_lossless = true;
  bool has_icc = false, has_color_chunks = false;  // The latter: gAMA, cHRM or cICP of PNG.
  // JPEG: the stored components as planes; plane_count 0 if planar decoding is impossible.
  ImageLayout planar;
  uint64_t encoded_bytes = 0;  // JPEG: of the whole file; 0 is unknown.
  int estimated_quality = 0;   // JPEG: 1 to 100 from the quantization tables; 0 elsewhere.
};

struct DecodeOptions {
  bool planar = false;            // Yield ImageInfo::planar (scaled) instead of interleaved pixels.
  uint8_t scale_denominator = 1;  // 1, 2, 4 or 8: sides are divided by it, rounding up.
  // Subsampled planes are divided as much as the others, not less as far as that is possible.
  bool scales_evenly = false;
};

// One format. Functions are null where the format cannot do it.
struct Codec {
  Format format;
  std::string_view name;                         // "jpeg", as in Settings.format
  std::span<const std::string_view> extensions;  // Lower case, the preferred one first.
  std::string (*version)();                      // Library and run-time version, for features().

  bool (*sniff)(Bytes head);
  // Parse and check the header against the limits. `head` is the start of `total_bytes` bytes.
  // Reads no pixels, allocates next to nothing.
  Result<ImageInfo> (*probe)(Bytes head, uint64_t total_bytes, const Limits& limits);
  Result<Metadata> (*read_metadata)(Bytes encoded, const Limits& limits);

  // What Decode will yield, and all the bytes that it will hold (the input not included).
  ImageLayout (*decoded_layout)(const ImageInfo& info, const DecodeOptions& options);
  uint64_t (*decode_memory_bytes)(const ImageInfo& info, const DecodeOptions& options);
  // The rows of the first frame. Checks the limits by what the library says. `encoded` outlives the
  // source. Damage is kCorruptImage, at the latest from the last Next(), or context.salvage's.
  Result<std::unique_ptr<RowSource>> (*decode)(Bytes encoded, const ImageInfo& info,
                                               const DecodeOptions& options, const Limits& limits,
                                               const WorkContext& context);
  uint8_t max_scale_denominator;

  // The layout nearest to `from` that Encode takes, the same if it takes that.
  ImageLayout (*accepted_layout)(const ImageLayout& from, const EncodeOptions& options);
  // All the bytes that Encode will hold, an upper bound of its output included.
  uint64_t (*encode_memory_bytes)(const ImageLayout& layout, const EncodeOptions& options);
  Status (*encode)(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                   const WorkContext& context, ByteChain* out);
  uint32_t max_side_px;                                   // Of encoded images.
  bool can_hold_icc = true;                               // Else the pixels must be sRGB.
  bool (*obeys_quality)(const EncodeOptions&) = nullptr;  // Lower quality saves bytes? Null: no.
  // The encoder's own level of a quality, where it has fewer: those of one level make the same
  // bytes. Null: each quality is another one.
  int (*quality_level)(int quality) = nullptr;
  // Animations; null where the format has none, or this build cannot do it. `info.frames` > 1.
  // What the source and the sink will hold beside the input, an upper bound of the output included.
  uint64_t (*frames_memory_bytes)(const ImageInfo& info);
  Result<std::unique_ptr<FrameSource>> (*open_frames)(Bytes encoded, const ImageInfo& info,
                                                      const Limits& limits,
                                                      const WorkContext& context);
  uint64_t (*animation_memory_bytes)(const AnimationInfo& animation, const EncodeOptions& options);
  // `context` and `out` outlive the sink.
  Result<std::unique_ptr<FrameSink>> (*start_animation)(const AnimationInfo& animation,
                                                        const EncodeOptions& options,
                                                        const Metadata& metadata,
                                                        const WorkContext& context, ByteChain* out);
  // The library may end the process while it encodes some animations.
  bool animations_may_abort = false;

  // The same image data, bit for bit, with only the metadata that `policy` keeps (orientation too)
  // and nothing after the end marker.
  Status (*rewrite)(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                    const WorkContext& context, ByteChain* out);

  // To a file of the same format, size and sampling without pixels. Null: there is no such way.
  bool (*can_transcode)(const ImageInfo& info, const EncodeOptions& options) = nullptr;
  // All the bytes that Transcode will hold, as for Encode (the input not included).
  uint64_t (*transcode_memory_bytes)(const ImageInfo& info, const EncodeOptions& options) = nullptr;
  // False, and nothing in `out`, if this image needs pixels after all; these say what is wrong.
  Result<bool> (*transcode)(Bytes encoded, const ImageInfo& info, const EncodeOptions& options,
                            const Limits& limits, const Metadata& metadata,
                            const WorkContext& context, ByteChain* out) = nullptr;
};

// The registry: every built-in format, in the order of sniffing.
std::span<const Codec* const> AllCodecs();
// Null if there is none.
const Codec* FindCodec(Format format);
const Codec* FindCodecByName(std::string_view name);
const Codec* FindCodecByExtension(std::string_view extension);  // Without the dot, any case.

// The codec whose magic `head` starts with, or kUnidentifiedImage (empty and unknown input) or
// kUnsupportedFormat (formats that are known but not built in).
Result<const Codec*> IdentifyCodec(Bytes head);

// One per format, each defined beside its codec.
extern const Codec kJpegCodec;
extern const Codec kPngCodec;
extern const Codec kWebpCodec;
extern const Codec kGifCodec;
extern const Codec kAvifCodec;  // Where libavif is built in.

}  // namespace pixpress
