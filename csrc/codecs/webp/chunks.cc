#include "codecs/webp/chunks.h"

#include <webp/decode.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "image/exif.h"

namespace pixpress {
namespace {

constexpr size_t kRiffHeader = 12;
constexpr size_t kChunkHeader = 8;
// Of a still image: alpha and color. Decoders look at no more.
constexpr size_t kMostImageChunks = 2;
// Flags of VP8X.
constexpr uint8_t kHasIcc = 0x20;
constexpr uint8_t kHasAlpha = 0x10;
constexpr uint8_t kHasExif = 0x08;
constexpr uint8_t kHasXmp = 0x04;
constexpr uint8_t kIsAnimated = 0x02;
constexpr uint64_t kFourCcBytes = 4;  // "WEBP", which counts as part of what RIFF holds.

uint32_t Load32(const uint8_t* at) {
  return at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

void Store(uint32_t value, size_t bytes, uint8_t* at) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

bool IsImage(std::string_view type) { return type == "VP8 " || type == "VP8L" || type == "ALPH"; }

// Calls `visit(chunk)` for the image chunks of a whole file.
template <typename Visit>
Status ForEachImageChunk(Bytes file, bool is_animated, Visit visit) {
  WebpChunkReader reader(file);
  WebpChunk chunk;
  WebpChunkReader::Step step;
  size_t images = 0;
  while ((step = reader.Next(&chunk)) == WebpChunkReader::Step::kChunk) {
    const bool is_part = is_animated ? chunk.type == "ANIM" || chunk.type == "ANMF"
                                     : IsImage(chunk.type) && images++ < kMostImageChunks;
    if (is_part) PIXPRESS_RETURN_IF_ERROR(visit(chunk));
  }
  if (step == WebpChunkReader::Step::kEnd) return Status();
  return Status(StatusCode::kCorruptImage, "the file ends before its last chunk");
}

uint64_t PaddedBytes(Bytes data) { return kChunkHeader + data.size() + data.size() % 2; }

// Of a chunk that is only there if it has data.
uint64_t OptionalBytes(Bytes data) { return data.empty() ? 0 : PaddedBytes(data); }

Status AppendOptional(std::string_view type, Bytes data, ByteChain* out) {
  return data.empty() ? Status() : AppendWebpChunk(type, data, out);
}

Status AppendRiffHead(uint64_t bytes, ByteChain* out) {
  // RIFF ends at an even length.
  if (bytes > UINT32_MAX - 1) {
    return Status(StatusCode::kLimitExceeded, "the output is longer than WebP can be");
  }
  std::array<uint8_t, kRiffHeader> head = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'};
  Store(static_cast<uint32_t>(bytes), 4, head.data() + 4);
  return out->Append(head);
}

}  // namespace

bool HasWebpSignature(Bytes head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  return head.size() >= kRiffHeader && text.substr(0, 4) == "RIFF" && text.substr(8, 4) == "WEBP";
}

Result<Bytes> WholeRiff(Bytes encoded) {
  const Status cut(StatusCode::kCorruptImage, "the file is truncated");
  if (encoded.size() < kRiffHeader) return cut;
  const uint64_t end = uint64_t{Load32(encoded.data() + 4)} + kChunkHeader;
  if (end < kRiffHeader || end > encoded.size()) return cut;
  return encoded.first(end);
}

WebpChunkReader::WebpChunkReader(Bytes encoded) : at_(kRiffHeader) {
  const auto whole = WholeRiff(encoded);
  is_cut_ = !whole.ok();
  encoded_ = whole.ok() ? whole.value() : encoded;
}

WebpChunkReader WebpChunkReader::Within(Bytes data) { return WebpChunkReader(data, 0); }

WebpChunkReader::Step WebpChunkReader::Next(WebpChunk* chunk) {
  *chunk = WebpChunk();
  if (at_ >= encoded_.size()) return is_cut_ ? Step::kCut : Step::kEnd;
  if (encoded_.size() - at_ < kChunkHeader) return Step::kCut;
  const uint32_t length = Load32(encoded_.data() + at_ + 4);
  chunk->type = {reinterpret_cast<const char*>(encoded_.data()) + at_, 4};
  const size_t there = encoded_.size() - at_ - kChunkHeader;
  chunk->data = encoded_.subspan(at_ + kChunkHeader, std::min<size_t>(length, there));
  if (length > there) return Step::kCut;
  at_ += kChunkHeader + length + length % 2;
  return Step::kChunk;
}

Result<Metadata> ReadWebpMetadata(Bytes encoded, const Limits& limits) {
  Metadata metadata;
  uint64_t bytes = 0;
  WebpChunkReader reader(encoded);
  WebpChunk chunk;
  while (reader.Next(&chunk) == WebpChunkReader::Step::kChunk) {
    std::vector<uint8_t>* field = chunk.type == "ICCP"   ? &metadata.icc
                                  : chunk.type == "EXIF" ? &metadata.exif
                                  : chunk.type == "XMP " ? &metadata.xmp
                                                         : nullptr;
    if (field == nullptr) continue;
    bytes += chunk.data.size();
    PIXPRESS_RETURN_IF_ERROR(CheckMetadataBytes(bytes, limits));
    const Bytes data = chunk.type == "EXIF" ? TiffBlock(chunk.data) : chunk.data;
    field->assign(data.begin(), data.end());
  }
  metadata.orientation = ParseExif(metadata.exif).orientation;
  return metadata;
}

Status AppendWebpChunk(std::string_view type, Bytes data, ByteChain* out) {
  std::array<uint8_t, kChunkHeader> head;
  std::copy_n(type.begin(), 4, head.begin());
  Store(static_cast<uint32_t>(data.size()), 4, head.data() + 4);
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  PIXPRESS_RETURN_IF_ERROR(out->Append(data));
  constexpr std::array<uint8_t, 1> kPad = {0};
  return data.size() % 2 == 0 ? Status() : out->Append(kPad);
}

Status AppendWebpHead(const WebpExtent& extent, const Metadata& metadata, uint64_t image_bytes,
                      ByteChain* out) {
  std::array<uint8_t, 10> vp8x = {};
  vp8x[0] = static_cast<uint8_t>(
      (metadata.icc.empty() ? 0 : kHasIcc) | (extent.has_alpha ? kHasAlpha : 0) |
      (metadata.exif.empty() ? 0 : kHasExif) | (metadata.xmp.empty() ? 0 : kHasXmp) |
      (extent.is_animated ? kIsAnimated : 0));
  Store(extent.width - 1, 3, vp8x.data() + 4);
  Store(extent.height - 1, 3, vp8x.data() + 7);
  const uint64_t bytes = kFourCcBytes + PaddedBytes(vp8x) + OptionalBytes(metadata.icc) +
                         image_bytes + OptionalBytes(metadata.exif) + OptionalBytes(metadata.xmp);
  PIXPRESS_RETURN_IF_ERROR(AppendRiffHead(bytes, out));
  PIXPRESS_RETURN_IF_ERROR(AppendWebpChunk("VP8X", vp8x, out));
  return AppendOptional("ICCP", metadata.icc, out);
}

Status AppendWebpTail(const Metadata& metadata, ByteChain* out) {
  PIXPRESS_RETURN_IF_ERROR(AppendOptional("EXIF", metadata.exif, out));
  return AppendOptional("XMP ", metadata.xmp, out);
}

Status WriteWebp(Bytes image, const Metadata& metadata, ByteChain* out) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(image.data(), image.size(), &features) != VP8_STATUS_OK) {
    return Status(StatusCode::kCorruptImage, "the WebP header is damaged");
  }
  const WebpExtent extent{static_cast<uint32_t>(features.width),
                          static_cast<uint32_t>(features.height), features.has_alpha != 0,
                          features.has_animation != 0};
  uint64_t bytes = 0;
  bool is_extended = extent.is_animated || !metadata.icc.empty() || !metadata.exif.empty() ||
                     !metadata.xmp.empty();
  PIXPRESS_RETURN_IF_ERROR(
      ForEachImageChunk(image, extent.is_animated, [&](const WebpChunk& chunk) {
        bytes += PaddedBytes(chunk.data);
        is_extended |= chunk.type == "ALPH";
        return Status();
      }));
  PIXPRESS_RETURN_IF_ERROR(is_extended ? AppendWebpHead(extent, metadata, bytes, out)
                                       : AppendRiffHead(kFourCcBytes + bytes, out));
  PIXPRESS_RETURN_IF_ERROR(ForEachImageChunk(
      image, extent.is_animated,
      [&](const WebpChunk& chunk) { return AppendWebpChunk(chunk.type, chunk.data, out); }));
  return AppendWebpTail(metadata, out);
}

Status RewriteWebp(Bytes encoded, MetadataPolicy policy, const Limits& limits, const WorkContext&,
                   ByteChain* out) {
  if (policy == MetadataPolicy::kAll) {
    PIXPRESS_ASSIGN_OR_RETURN(const Bytes whole, WholeRiff(encoded));
    return out->Append(whole);
  }
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, ReadWebpMetadata(encoded, limits));
  return WriteWebp(encoded, ApplyPolicy(std::move(metadata), policy, /*oriented=*/false), out);
}

}  // namespace pixpress
