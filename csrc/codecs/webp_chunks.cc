#include "codecs/webp_chunks.h"

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

uint32_t Load32(const uint8_t* at) {
  return at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

void Store(uint32_t value, size_t bytes, uint8_t* at) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

bool IsImage(std::string_view type) { return type == "VP8 " || type == "VP8L" || type == "ALPH"; }

// Of a whole file.
Result<std::vector<WebpChunk>> ImageChunks(Bytes file) {
  std::vector<WebpChunk> chunks;
  WebpChunkReader reader(file);
  WebpChunk next;
  WebpChunkReader::Step step;
  while ((step = reader.Next(&next)) == WebpChunkReader::Step::kChunk) {
    if (IsImage(next.type) && chunks.size() < kMostImageChunks) chunks.push_back(next);
  }
  if (step == WebpChunkReader::Step::kEnd) return chunks;
  return Status(StatusCode::kCorruptImage, "the file ends before its last chunk");
}

uint64_t PaddedBytes(Bytes data) { return kChunkHeader + data.size() + data.size() % 2; }

Status AppendChunk(std::string_view type, Bytes data, ByteChain* out) {
  std::array<uint8_t, kChunkHeader> head;
  std::copy_n(type.begin(), 4, head.begin());
  Store(static_cast<uint32_t>(data.size()), 4, head.data() + 4);
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  PIXPRESS_RETURN_IF_ERROR(out->Append(data));
  constexpr std::array<uint8_t, 1> kPad = {0};
  return data.size() % 2 == 0 ? Status() : out->Append(kPad);
}

}  // namespace

bool HasWebpSignature(Bytes head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  return head.size() >= kRiffHeader && text.substr(0, 4) == "RIFF" && text.substr(8, 4) == "WEBP";
}

Bytes WebpExif(Bytes chunk) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  const std::string_view text(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  return text.starts_with(kPrefix) ? chunk.subspan(kPrefix.size()) : chunk;
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

WebpChunkReader::Step WebpChunkReader::Next(WebpChunk* chunk) {
  *chunk = WebpChunk();
  if (at_ >= encoded_.size()) return is_cut_ ? Step::kCut : Step::kEnd;
  if (encoded_.size() - at_ < kChunkHeader) return Step::kCut;
  const uint32_t length = Load32(encoded_.data() + at_ + 4);
  chunk->type = {reinterpret_cast<const char*>(encoded_.data()) + at_, 4};
  if (length > encoded_.size() - at_ - kChunkHeader) return Step::kCut;
  chunk->data = encoded_.subspan(at_ + kChunkHeader, length);
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
    const Bytes data = chunk.type == "EXIF" ? WebpExif(chunk.data) : chunk.data;
    field->assign(data.begin(), data.end());
  }
  metadata.orientation = ParseExif(metadata.exif).orientation;
  return metadata;
}

Status WriteWebp(Bytes image, const Metadata& metadata, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<WebpChunk> chunks, ImageChunks(image));
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(image.data(), image.size(), &features) != VP8_STATUS_OK) {
    return Status(StatusCode::kCorruptImage, "the WebP header is damaged");
  }
  std::array<uint8_t, 10> vp8x = {};
  vp8x[0] = static_cast<uint8_t>(
      (metadata.icc.empty() ? 0 : kHasIcc) | (features.has_alpha != 0 ? kHasAlpha : 0) |
      (metadata.exif.empty() ? 0 : kHasExif) | (metadata.xmp.empty() ? 0 : kHasXmp));
  Store(static_cast<uint32_t>(features.width - 1), 3, vp8x.data() + 4);
  Store(static_cast<uint32_t>(features.height - 1), 3, vp8x.data() + 7);
  const bool has_alpha_chunk =
      std::any_of(chunks.begin(), chunks.end(), [](const auto& c) { return c.type == "ALPH"; });
  const bool is_extended = has_alpha_chunk || (vp8x[0] & ~kHasAlpha) != 0;

  std::vector<WebpChunk> written;
  if (is_extended) written.push_back({"VP8X", vp8x});
  if (!metadata.icc.empty()) written.push_back({"ICCP", metadata.icc});
  written.insert(written.end(), chunks.begin(), chunks.end());
  if (!metadata.exif.empty()) written.push_back({"EXIF", metadata.exif});
  if (!metadata.xmp.empty()) written.push_back({"XMP ", metadata.xmp});
  uint64_t bytes = 4;
  for (const WebpChunk& chunk : written) bytes += PaddedBytes(chunk.data);

  std::array<uint8_t, kRiffHeader> head = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'};
  Store(static_cast<uint32_t>(bytes), 4, head.data() + 4);
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  for (const WebpChunk& chunk : written) {
    PIXPRESS_RETURN_IF_ERROR(AppendChunk(chunk.type, chunk.data, out));
  }
  return Status();
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
