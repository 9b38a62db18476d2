// The row of PNG in the registry, and its probe.

#include "codecs/codec.h"

#include <libdeflate.h>
#include <png.h>
#include <zlib.h>

#include <array>
#include <string>

#include "codecs/png/animation_decode.h"
#include "codecs/png/animation_encode.h"
#include "codecs/png/chunks.h"
#include "codecs/png/decode.h"
#include "codecs/png/encode.h"
#include "codecs/png/numbers.h"
#include "image/exif.h"

namespace pixpress {
namespace {

constexpr std::array<std::string_view, 2> kExtensions = {"png", "apng"};

std::string Version() {
  return std::string("libpng ") + png_get_libpng_ver(nullptr) + ", zlib " + zlibVersion() +
         ", libdeflate " LIBDEFLATE_VERSION_STRING;
}

bool Sniff(Bytes head) { return HasPngSignature(head); }

Status Corrupt(const char* what) { return Status(StatusCode::kCorruptImage, what); }

bool IsValidDepth(uint8_t type, uint8_t depth) {
  if (type == 0) return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  if (type == 3) return depth == 1 || depth == 2 || depth == 4 || depth == 8;
  return (type == 2 || type == 4 || type == 6) && (depth == 8 || depth == 16);
}

Status ParseHeader(Bytes ihdr, ImageInfo* info) {
  if (ihdr.size() != 13) return Corrupt("IHDR has the wrong size");
  info->width = LoadPng32(ihdr.data());
  info->height = LoadPng32(ihdr.data() + 4);
  const uint8_t depth = ihdr[8];
  const uint8_t type = ihdr[9];
  if (!IsValidDepth(type, depth)) return Corrupt("IHDR has an impossible color type or depth");
  if (ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1) return Corrupt("IHDR has unknown methods");
  info->bits = depth == 16 ? 16 : 8;
  info->is_indexed = type == 3;
  info->color = type == 0 || type == 4 ? ColorModel::kGray : ColorModel::kRgb;
  info->has_alpha = type == 4 || type == 6;
  info->is_progressive = ihdr[12] == 1;
  return Status();
}

// Takes chunks in their order.
class HeaderReader {
 public:
  explicit HeaderReader(ImageInfo* info) : info_(info) {}

  Status Take(const PngChunk& chunk) {
    if (chunk.type == "PLTE") TakePalette(chunk.data);
    if (chunk.type == "tRNS" && !has_data_) info_->has_alpha |= IsValidTransparency(chunk.data);
    if (chunk.type == "iCCP") info_->has_icc = true;
    if (chunk.type == "gAMA" || chunk.type == "cHRM" || chunk.type == "cICP") {
      info_->has_color_chunks = true;
    }
    if (chunk.type == "eXIf") info_->orientation = ParseExif(chunk.data).orientation;
    if (chunk.type == "IDAT") has_data_ = true;
    if (chunk.type != "acTL" || chunk.data.size() != 8 || has_data_) return Status();
    info_->frames = LoadPng32(chunk.data.data());
    info_->loop_count = LoadPng32(chunk.data.data() + 4);
    return info_->frames == 0 ? Corrupt("the animation has no frames") : Status();
  }
  bool has_data() const { return has_data_; }
  void set_has_data() { has_data_ = true; }
  // Indices of grays alone are gray, unless a profile says what RGB they are.
  void Conclude() {
    if (is_gray_ && !info_->has_icc) info_->color = ColorModel::kGray;
  }

 private:
  void TakePalette(Bytes data) {
    palette_size_ = data.size() / 3;
    is_gray_ = info_->is_indexed && palette_size_ > 0;
    for (size_t i = 0; i < palette_size_; ++i) {
      is_gray_ &= data[3 * i] == data[3 * i + 1] && data[3 * i] == data[3 * i + 2];
    }
  }

  // As libpng judges: what it ignores must not count as alpha.
  bool IsValidTransparency(Bytes data) const {
    if (info_->is_indexed) return !data.empty() && data.size() <= palette_size_;
    return data.size() == (info_->color == ColorModel::kGray ? 2 : 6);
  }

  ImageInfo* info_;
  size_t palette_size_ = 0;
  bool is_gray_ = false;
  bool has_data_ = false;
};

Result<ImageInfo> Probe(Bytes head, uint64_t total_bytes, const Limits& limits) {
  ImageInfo info;
  info.format = Format::kPng;
  info.planar.plane_count = 0;
  PngChunkReader reader(head, /*checks_data=*/false);
  PngChunk chunk;
  PIXPRESS_ASSIGN_OR_RETURN(auto step, reader.Next(&chunk));
  if (step != PngChunkReader::Step::kChunk && head.size() < total_bytes) {
    info.needs_more_input = true;
    return info;
  }
  if (step != PngChunkReader::Step::kChunk || chunk.type != "IHDR") {
    return Corrupt("the file has no complete IHDR");
  }
  PIXPRESS_RETURN_IF_ERROR(ParseHeader(chunk.data, &info));
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  // What follows the image data may be beyond the head; only metadata is there.
  HeaderReader header(&info);
  while (step == PngChunkReader::Step::kChunk) {
    PIXPRESS_RETURN_IF_ERROR(header.Take(chunk));
    const auto next = reader.Next(&chunk);
    if (!next.ok()) {
      if (header.has_data()) break;  // No matter of the header: who decodes will say.
      return next.status();
    }
    step = next.value();
  }
  if (chunk.type == "IDAT") header.set_has_data();  // Cut, but begun.
  header.Conclude();
  info.needs_more_input = !header.has_data() && head.size() < total_bytes;
  return info;
}

}  // namespace

const Codec kPngCodec = {
    .format = Format::kPng,
    .name = "png",
    .extensions = kExtensions,
    .version = Version,
    .sniff = Sniff,
    .probe = Probe,
    .read_metadata = ReadPngMetadata,
    .decoded_layout = PngDecodedLayout,
    .decode_memory_bytes = PngDecodeMemoryBytes,
    .decode = DecodePng,
    .max_scale_denominator = 1,
    .accepted_layout = PngAcceptedLayout,
    .encode_memory_bytes = PngEncodeMemoryBytes,
    .encode = EncodePng,
    .max_side_px = 1'000'000,
    .frames_memory_bytes = PngFramesMemoryBytes,
    .open_frames = OpenPngFrames,
    .animation_memory_bytes = PngAnimationMemoryBytes,
    .start_animation = StartPngAnimation,
    .rewrite = RewritePng,
};

}  // namespace pixpress
