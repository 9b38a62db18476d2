#include "codecs/gif/writer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pixpress {
namespace {

void Put16(uint32_t value, std::vector<uint8_t>* out) {
  out->push_back(static_cast<uint8_t>(value));
  out->push_back(static_cast<uint8_t>(value >> 8));
}

void PutText(std::string_view text, std::vector<uint8_t>* out) {
  for (const char c : text) out->push_back(static_cast<uint8_t>(c));
}

void PutTable(std::span<const uint32_t> colors, std::vector<uint8_t>* out) {
  for (const uint32_t color : colors) {
    for (int shift = 0; shift < 24; shift += 8) {
      out->push_back(static_cast<uint8_t>(color >> shift));
    }
  }
  const size_t missing = (size_t{1} << GifTableBits(colors.size())) - colors.size();
  out->insert(out->end(), missing * 3, 0);
}

void PutSubBlocks(std::span<const uint8_t> data, std::vector<uint8_t>* out) {
  while (!data.empty()) {
    const auto block = data.first(std::min<size_t>(data.size(), 255));
    out->push_back(static_cast<uint8_t>(block.size()));
    out->insert(out->end(), block.begin(), block.end());
    data = data.subspan(block.size());
  }
  out->push_back(0);
}

void PutApplication(std::string_view name, std::vector<uint8_t>* out) {
  PutText("\x21\xFF\x0B", out);
  PutText(name, out);
}

void PutXmp(const std::vector<uint8_t>& xmp, std::vector<uint8_t>* out) {
  PutApplication("XMP DataXMP", out);
  out->insert(out->end(), xmp.begin(), xmp.end());
  out->push_back(1);
  for (int i = 255; i >= 0; --i) out->push_back(static_cast<uint8_t>(i));
  out->push_back(0);
}

uint8_t TableFlags(std::span<const uint32_t> colors) {
  return colors.empty() ? uint8_t{0}
                        : static_cast<uint8_t>(0x80 | (GifTableBits(colors.size()) - 1));
}

}  // namespace

uint8_t GifTableBits(size_t colors) {
  uint8_t bits = 1;
  while (size_t{1} << bits < colors) ++bits;
  return bits;
}

std::vector<uint8_t> MakeGifHeader(uint32_t width, uint32_t height,
                                   std::span<const uint32_t> colors, uint32_t loop_count,
                                   const Metadata& metadata) {
  std::vector<uint8_t> out;
  out.reserve(GifHeaderBytes(metadata));
  PutText("GIF89a", &out);
  Put16(width, &out);
  Put16(height, &out);
  // Eight bits per primary color; no background, no aspect.
  out.push_back(TableFlags(colors) | 0x70);
  Put16(0, &out);
  if (!colors.empty()) PutTable(colors, &out);
  if (loop_count != 1) {
    PutApplication("NETSCAPE2.0", &out);
    PutText("\x03\x01", &out);
    // The file says how often all is shown again; for ever is 0 in both.
    Put16(loop_count == 0 ? 0 : std::min(loop_count - 1, 65535u), &out);
    out.push_back(0);
  }
  if (!metadata.icc.empty()) {
    PutApplication("ICCRGBG1012", &out);
    PutSubBlocks(metadata.icc, &out);
  }
  if (!metadata.xmp.empty()) PutXmp(metadata.xmp, &out);
  for (const std::string& comment : metadata.comments) {
    PutText("\x21\xFE", &out);
    PutSubBlocks({reinterpret_cast<const uint8_t*>(comment.data()), comment.size()}, &out);
  }
  return out;
}

uint64_t GifHeaderBytes(const Metadata& metadata) {
  const uint64_t payload = metadata.size_bytes();
  return 13 + 768 + 19 + 3 * 16 + kGifXmpTailBytes + payload + payload / 255 +
         4 * (metadata.comments.size() + 1);
}

Status AppendGifControl(GifDisposal disposal, uint16_t delay, int transparent, ByteChain* out) {
  const bool has_transparent = transparent >= 0;
  const std::array<uint8_t, 8> bytes = {
      0x21,
      0xF9,
      4,
      static_cast<uint8_t>(static_cast<int>(disposal) << 2 | (has_transparent ? 1 : 0)),
      static_cast<uint8_t>(delay),
      static_cast<uint8_t>(delay >> 8),
      static_cast<uint8_t>(has_transparent ? transparent : 0),
      0};
  return out->Append(bytes);
}

Status AppendGifImage(const CanvasPlace& place, std::span<const uint32_t> colors, ByteChain* out) {
  std::vector<uint8_t> bytes = {0x2C};
  Put16(place.x, &bytes);
  Put16(place.y, &bytes);
  Put16(place.width, &bytes);
  Put16(place.height, &bytes);
  bytes.push_back(TableFlags(colors));
  if (!colors.empty()) PutTable(colors, &bytes);
  return out->Append(bytes);
}

Status AppendGifTrailer(ByteChain* out) {
  constexpr std::array<uint8_t, 1> kTrailer = {0x3B};
  return out->Append(kTrailer);
}

}  // namespace pixpress
