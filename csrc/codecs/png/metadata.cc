// The metadata half of png/chunks.h.

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "codecs/png/chunks.h"
#include "codecs/png/numbers.h"
#include "image/exif.h"

namespace pixpress {
namespace {

constexpr std::string_view kXmpHead("XML:com.adobe.xmp\0\0\0\0\0", 22);
// What one kept chunk costs besides its data, so that many empty ones reach the limit too.
constexpr uint64_t kChunkCostBytes = 64;
constexpr double kInchesPerMeter = 39.3700787;

struct FreeInflater {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct FreeDeflater {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

// The profile of an iCCP chunk: name, 0, method, zlib stream; empty if it is damaged or too large.
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

Status AppendColor(const PngColor& color, ByteChain* out) {
  if (color.gamma) {
    std::array<uint8_t, 4> data;
    StorePng32(*color.gamma, data.data());
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "gAMA", data));
  }
  if (!color.chroma) return Status();
  std::array<uint8_t, 32> data;
  for (size_t i = 0; i < 8; ++i) StorePng32((*color.chroma)[i], data.data() + 4 * i);
  return AppendPngChunk(out, "cHRM", data);
}

// PNG counts per meter or gives a mere aspect.
Status AppendDensity(const Density& density, ByteChain* out) {
  const double scale = density.unit == Density::Unit::kPerInch ? kInchesPerMeter
                       : density.unit == Density::Unit::kPerCm ? 100.0
                                                               : 1.0;
  std::array<uint8_t, 9> data = {};
  const auto store = [&](uint32_t value, uint8_t* at) {
    StorePng32(static_cast<uint32_t>(std::min(std::round(value * scale), 2147483647.0)), at);
  };
  store(density.x, data.data());
  store(density.y, data.data() + 4);
  data[8] = density.unit == Density::Unit::kAspect ? 0 : 1;
  return AppendPngChunk(out, "pHYs", data);
}

void ReadColorChunk(const PngChunk& chunk, uint64_t max_bytes, Metadata* metadata) {
  PngColor& color = metadata->png_color;
  const Bytes data = chunk.data;
  if (chunk.type == "iCCP") metadata->icc = InflateProfile(data, max_bytes);
  if (chunk.type == "gAMA" && data.size() == 4) color.gamma = LoadPng32(data.data());
  if (chunk.type == "sRGB" && data.size() == 1 && data[0] <= 3) color.srgb_intent = data[0];
  if (chunk.type == "cICP" && data.size() == 4) {
    std::copy_n(data.begin(), 4, color.cicp.emplace().begin());
  }
  if (chunk.type == "cHRM" && data.size() == 32) {
    std::array<uint32_t, 8>& chroma = color.chroma.emplace();
    for (size_t i = 0; i < 8; ++i) chroma[i] = LoadPng32(data.data() + 4 * i);
  }
}

void ReadOtherChunk(const PngChunk& chunk, Metadata* metadata) {
  const Bytes data = chunk.data;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (chunk.type == "eXIf") {
    metadata->exif.assign(data.begin(), data.end());
  } else if (chunk.type == "iTXt" && text.starts_with(kXmpHead)) {
    metadata->xmp.assign(data.begin() + kXmpHead.size(), data.end());
  } else if (chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "iTXt" ||
             chunk.type == "tIME") {
    metadata->png_texts.push_back({std::string(chunk.type), {data.begin(), data.end()}});
  } else if (chunk.type == "pHYs" && data.size() == 9 && data[8] <= 1) {
    const auto unit = data[8] == 1 ? Density::Unit::kPerMeter : Density::Unit::kAspect;
    metadata->density = Density{LoadPng32(data.data()), LoadPng32(data.data() + 4), unit};
  }
}

bool IsMetadata(std::string_view type) {
  constexpr std::array<std::string_view, 11> kTypes = {
      "iCCP", "gAMA", "sRGB", "cICP", "cHRM", "eXIf", "pHYs", "tEXt", "zTXt", "iTXt", "tIME"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace

Status AppendPngMetadata(const Metadata& metadata, ByteChain* out) {
  const PngColor& color = metadata.png_color;
  if (color.cicp) PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "cICP", *color.cicp));
  if (!metadata.icc.empty()) {
    PIXPRESS_RETURN_IF_ERROR(AppendProfile(metadata.icc, out));
  } else if (color.srgb_intent) {
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "sRGB", Bytes(&*color.srgb_intent, 1)));
  }
  PIXPRESS_RETURN_IF_ERROR(AppendColor(color, out));
  if (metadata.density) PIXPRESS_RETURN_IF_ERROR(AppendDensity(*metadata.density, out));
  if (!metadata.exif.empty()) {
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "eXIf", metadata.exif));
  }
  if (!metadata.xmp.empty()) {
    std::vector<uint8_t> data(kXmpHead.begin(), kXmpHead.end());
    data.insert(data.end(), metadata.xmp.begin(), metadata.xmp.end());
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "iTXt", data));
  }
  for (const PngText& text : metadata.png_texts) {
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, text.type, text.data));
  }
  return Status();
}

Result<Metadata> ReadPngMetadata(Bytes encoded, const Limits& limits) {
  Metadata metadata;
  uint64_t bytes = 0;
  PngChunkReader reader(encoded, /*checks_data=*/false);
  while (true) {
    PngChunk chunk;
    const auto step = reader.Next(&chunk);
    if (!step.ok() || step.value() != PngChunkReader::Step::kChunk) break;
    if (!IsMetadata(chunk.type)) continue;
    bytes += chunk.data.size() + kChunkCostBytes;
    PIXPRESS_RETURN_IF_ERROR(CheckMetadataBytes(bytes, limits));
    ReadColorChunk(chunk, limits.max_metadata_bytes, &metadata);
    ReadOtherChunk(chunk, &metadata);
  }
  metadata.orientation = ParseExif(metadata.exif).orientation;
  return metadata;
}

}  // namespace pixpress
