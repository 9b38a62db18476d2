// The row of PNG in the registry, and its probe.

#include <libdeflate.h>
#include <png.h>
#include <zlib.h>

#include <array>
#include <string>

#include "codecs/codec.h"
#include "codecs/png_chunks.h"
#include "codecs/png_decode.h"
#include "codecs/png_encode.h"
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

uint32_t Load32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

bool IsValidDepth(uint8_t type, uint8_t depth) {
  if (type == 0) return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  if (type == 3) return depth == 1 || depth == 2 || depth == 4 || depth == 8;
  return (type == 2 || type == 4 || type == 6) && (depth == 8 || depth == 16);
}

Status ParseHeader(Bytes ihdr, ImageInfo* info) {
  if (ihdr.size() != 13) return Corrupt("IHDR has the wrong size");
  info->width = Load32(ihdr.data());
  info->height = Load32(ihdr.data() + 4);
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

Result<ImageInfo> Probe(Bytes head, uint64_t total_bytes, const Limits& limits) {
  PIXPRESS_ASSIGN_OR_RETURN(const auto chunks, ListPngChunks(head, /*may_end_early=*/true));
  ImageInfo info;
  info.format = Format::kPng;
  info.planar.plane_count = 0;
  if (chunks.empty() || chunks[0].type != "IHDR") return Corrupt("the file has no IHDR");
  PIXPRESS_RETURN_IF_ERROR(ParseHeader(chunks[0].data, &info));
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  // What follows the image data may be beyond the head; only metadata is there.
  bool has_data = false;
  for (const PngChunk& chunk : chunks) {
    has_data |= chunk.type == "IDAT";
    if (chunk.type == "tRNS" && !has_data) info.has_alpha = true;
    if (chunk.type == "iCCP") info.has_icc = true;
    if (chunk.type == "eXIf") info.orientation = ParseExif(chunk.data).orientation;
    if (chunk.type == "acTL" && chunk.data.size() == 8) {
      info.frames = Load32(chunk.data.data());
      if (info.frames == 0) return Corrupt("the animation has no frames");
    }
  }
  if (!has_data && head.size() < total_bytes) info.needs_more_input = true;
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
    .frames_memory_bytes = nullptr,
    .open_frames = nullptr,
    .animation_memory_bytes = nullptr,
    .start_animation = nullptr,
    .rewrite = RewritePng,
};

}  // namespace pixpress
