#include "codecs/png_chunks.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "image/exif.h"

namespace pixpress {
namespace {

constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

uint32_t Load32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void Store32(uint32_t value, uint8_t* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

Status Corrupt(const char* what) { return Status(StatusCode::kCorruptImage, what); }

struct FreeInflater {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct FreeDeflater {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

// The profile of an iCCP chunk: name, 0, method, zlib stream; empty if it is damaged.
std::vector<uint8_t> InflateProfile(Bytes data, uint64_t max_bytes) {
  const auto name_end =
      std::find(data.begin(), data.begin() + std::min<size_t>(80, data.size()), 0);
  const size_t start = static_cast<size_t>(name_end - data.begin()) + 2;
  if (start >= data.size()) return {};
  const std::unique_ptr<libdeflate_decompressor, FreeInflater> inflater(
      libdeflate_alloc_decompressor());
  if (inflater == nullptr) return {};
  for (size_t room = 4 * data.size() + 4096; room / 4 <= max_bytes; room *= 4) {
    std::vector<uint8_t> profile(std::min<size_t>(room, max_bytes));
    size_t made = 0;
    const auto result =
        libdeflate_zlib_decompress(inflater.get(), data.data() + start, data.size() - start,
                                   profile.data(), profile.size(), &made);
    if (result == LIBDEFLATE_SUCCESS) {
      profile.resize(made);
      return profile;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE || profile.size() == max_bytes) return {};
  }
  return {};
}

Status AppendProfile(const std::vector<uint8_t>& icc, ByteChain* out) {
  const std::unique_ptr<libdeflate_compressor, FreeDeflater> deflater(
      libdeflate_alloc_compressor(9));
  if (deflater == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for the profile");
  std::vector<uint8_t> data = {'I', 'C', 'C', 0, 0};
  const size_t head = data.size();
  data.resize(head + libdeflate_zlib_compress_bound(deflater.get(), icc.size()));
  const size_t made = libdeflate_zlib_compress(deflater.get(), icc.data(), icc.size(),
                                               data.data() + head, data.size() - head);
  data.resize(head + made);
  return AppendPngChunk(out, "iCCP", data);
}

void ReadColorChunk(const PngChunk& chunk, uint64_t max_bytes, Metadata* metadata) {
  PngColor& color = metadata->png_color;
  if (chunk.type == "iCCP") metadata->icc = InflateProfile(chunk.data, max_bytes);
  if (chunk.type == "gAMA" && chunk.data.size() == 4) color.gamma = Load32(chunk.data.data());
  if (chunk.type == "sRGB" && chunk.data.size() == 1) color.srgb_intent = chunk.data[0];
  if (chunk.type == "cICP" && chunk.data.size() == 4) {
    std::array<uint8_t, 4> cicp;
    std::copy_n(chunk.data.begin(), 4, cicp.begin());
    color.cicp = cicp;
  }
  if (chunk.type == "cHRM" && chunk.data.size() == 32) {
    std::array<uint32_t, 8> chroma;
    for (size_t i = 0; i < 8; ++i) chroma[i] = Load32(chunk.data.data() + 4 * i);
    color.chroma = chroma;
  }
}

void ReadTextChunk(const PngChunk& chunk, Metadata* metadata) {
  constexpr std::string_view kXmp("XML:com.adobe.xmp\0\0\0\0\0", 22);
  const std::string_view text(reinterpret_cast<const char*>(chunk.data.data()), chunk.data.size());
  if (chunk.type == "iTXt" && text.substr(0, kXmp.size()) == kXmp) {
    metadata->xmp.assign(chunk.data.begin() + kXmp.size(), chunk.data.end());
  } else if (chunk.type == "tEXt") {
    metadata->comments.emplace_back(text);
  }
}

bool IsMetadata(std::string_view type) {
  constexpr std::array<std::string_view, 11> kTypes = {
      "iCCP", "gAMA", "sRGB", "cICP", "cHRM", "eXIf", "pHYs", "tEXt", "zTXt", "iTXt", "tIME"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace

bool HasPngSignature(Bytes head) {
  return head.size() >= kSignature.size() &&
         std::equal(kSignature.begin(), kSignature.end(), head.begin());
}

Result<std::vector<PngChunk>> ListPngChunks(Bytes encoded, bool may_end_early) {
  std::vector<PngChunk> chunks;
  size_t at = kSignature.size();
  while (at + 12 <= encoded.size()) {
    const uint32_t length = Load32(encoded.data() + at);
    if (length > 0x7FFFFFFF) return Corrupt("a chunk is longer than PNG allows");
    if (length > encoded.size() - at - 12) break;
    PngChunk chunk;
    chunk.whole = encoded.subspan(at, size_t{length} + 12);
    chunk.type = {reinterpret_cast<const char*>(encoded.data()) + at + 4, 4};
    chunk.data = encoded.subspan(at + 8, length);
    if (chunk.type != "IDAT" && chunk.type != "fdAT" &&
        libdeflate_crc32(0, chunk.whole.data() + 4, length + 4u) !=
            Load32(chunk.whole.data() + 8 + length)) {
      return Corrupt("a chunk has a wrong checksum");
    }
    chunks.push_back(chunk);
    if (chunk.type == "IEND") return chunks;
    at += chunk.whole.size();
  }
  if (may_end_early) return chunks;
  return Corrupt("the file ends before its last chunk");
}

Status AppendPngSignature(ByteChain* out) { return out->Append(kSignature); }

Status AppendPngChunk(ByteChain* out, std::string_view type, Bytes data) {
  std::array<uint8_t, 8> head;
  Store32(static_cast<uint32_t>(data.size()), head.data());
  std::copy_n(type.begin(), 4, head.begin() + 4);
  uint32_t crc = libdeflate_crc32(0, head.data() + 4, 4);
  if (!data.empty()) crc = libdeflate_crc32(crc, data.data(), data.size());
  std::array<uint8_t, 4> tail;
  Store32(crc, tail.data());
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  PIXPRESS_RETURN_IF_ERROR(out->Append(data));
  return out->Append(tail);
}

Status AppendPngMetadata(const Metadata& metadata, ByteChain* out) {
  const PngColor& color = metadata.png_color;
  if (color.cicp) PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "cICP", *color.cicp));
  if (!metadata.icc.empty()) {
    PIXPRESS_RETURN_IF_ERROR(AppendProfile(metadata.icc, out));
  } else if (color.srgb_intent) {
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "sRGB", Bytes(&*color.srgb_intent, 1)));
  }
  if (color.gamma) {
    std::array<uint8_t, 4> data;
    Store32(*color.gamma, data.data());
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "gAMA", data));
  }
  if (color.chroma) {
    std::array<uint8_t, 32> data;
    for (size_t i = 0; i < 8; ++i) Store32((*color.chroma)[i], data.data() + 4 * i);
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "cHRM", data));
  }
  if (metadata.density && metadata.density->unit == Density::Unit::kPerMeter) {
    std::array<uint8_t, 9> data;
    Store32(metadata.density->x, data.data());
    Store32(metadata.density->y, data.data() + 4);
    data[8] = 1;
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "pHYs", data));
  }
  if (!metadata.exif.empty()) {
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "eXIf", metadata.exif));
  }
  if (!metadata.xmp.empty()) {
    constexpr std::string_view kXmp("XML:com.adobe.xmp\0\0\0\0\0", 22);
    std::vector<uint8_t> data(kXmp.begin(), kXmp.end());
    data.insert(data.end(), metadata.xmp.begin(), metadata.xmp.end());
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "iTXt", data));
  }
  return Status();
}

Result<Metadata> ReadPngMetadata(Bytes encoded, const Limits& limits) {
  PIXPRESS_ASSIGN_OR_RETURN(const auto chunks, ListPngChunks(encoded, /*may_end_early=*/true));
  Metadata metadata;
  uint64_t bytes = 0;
  for (const PngChunk& chunk : chunks) {
    if (!IsMetadata(chunk.type)) continue;
    bytes += chunk.data.size();
    PIXPRESS_RETURN_IF_ERROR(CheckMetadataBytes(bytes, limits));
    ReadColorChunk(chunk, limits.max_metadata_bytes, &metadata);
    ReadTextChunk(chunk, &metadata);
    if (chunk.type == "eXIf") metadata.exif.assign(chunk.data.begin(), chunk.data.end());
    if (chunk.type == "pHYs" && chunk.data.size() == 9 && chunk.data[8] == 1) {
      metadata.density = Density{Load32(chunk.data.data()), Load32(chunk.data.data() + 4),
                                 Density::Unit::kPerMeter};
    }
  }
  metadata.orientation = ParseExif(metadata.exif).orientation;
  return metadata;
}

Status RewritePng(Bytes encoded, MetadataPolicy policy, const Limits& limits, const WorkContext&,
                  ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(const auto chunks, ListPngChunks(encoded, /*may_end_early=*/false));
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, ReadPngMetadata(encoded, limits));
  metadata = ApplyPolicy(std::move(metadata), policy, /*oriented=*/false);
  constexpr std::array<std::string_view, 9> kImageChunks = {"PLTE", "tRNS", "IDAT", "IEND", "acTL",
                                                            "fcTL", "fdAT", "sBIT", "bKGD"};
  PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(out));
  for (const PngChunk& chunk : chunks) {
    const bool is_header = chunk.type == "IHDR";
    const bool is_image =
        std::find(kImageChunks.begin(), kImageChunks.end(), chunk.type) != kImageChunks.end();
    const bool is_text = policy == MetadataPolicy::kAll &&
                         (chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "tIME");
    if (is_header || is_image || is_text) PIXPRESS_RETURN_IF_ERROR(out->Append(chunk.whole));
    if (is_header) PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata, out));
  }
  return Status();
}

}  // namespace pixpress
