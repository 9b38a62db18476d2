#include "codecs/jpeg/extra_pictures.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace pixpress {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kIndexName = "MPF\0"sv;
constexpr uint32_t kMostPictures = 64;

std::string_view TextOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Numbers of the block in the byte order that it says. Reads beyond the end give 0.
class IndexReader {
 public:
  explicit IndexReader(Bytes block)
      : block_(block), is_little_(!block.empty() && block[0] == 'I') {}
  uint32_t Read(size_t at, size_t bytes) const {
    if (at > block_.size() || block_.size() - at < bytes) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      value |= uint32_t{block_[at + i]} << (8 * (is_little_ ? i : bytes - 1 - i));
    }
    return value;
  }

 private:
  Bytes block_;
  bool is_little_;
};

// Where the pictures after the first begin, from the start of the block (CIPA DC-007).
std::vector<uint32_t> PictureOffsets(Bytes block) {
  constexpr uint32_t kEntriesTag = 0xB002, kEntryBytes = 16;
  const IndexReader reader(block);
  const size_t directory = reader.Read(4, 4);
  const uint32_t tags = std::min(reader.Read(directory, 2), 64u);
  std::vector<uint32_t> offsets;
  for (uint32_t i = 0; i < tags; ++i) {
    const size_t tag = directory + 2 + size_t{12} * i;
    if (reader.Read(tag, 2) != kEntriesTag) continue;
    const uint32_t pictures = std::min(reader.Read(tag + 4, 4) / kEntryBytes, kMostPictures);
    const size_t entries = reader.Read(tag + 8, 4);
    for (uint32_t p = 1; p < pictures; ++p) {
      offsets.push_back(reader.Read(entries + size_t{kEntryBytes} * p + 8, 4));
    }
    break;
  }
  return offsets;
}

bool SaysGainMap(const JpegSegment& segment) {
  if (segment.marker != kJpegApp1 && segment.marker != kJpegApp2) return false;
  constexpr std::array kNames = {"http://ns.adobe.com/hdr-gain-map/"sv, "HDRGainMap"sv,
                                 "aux:hdrgainmap"sv, "urn:iso:std:iso:ts:21496:-1"sv};
  const std::string_view text = TextOf(segment.payload);
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    return text.find(name) != std::string_view::npos;
  });
}

// The main picture's head, or that of a picture that follows.
struct PictureHead {
  bool says_gain_map = false;
  Bytes index;             // The block of MPF, without its name.
  size_t index_begin = 0;  // In the file.
};

PictureHead ReadHead(Bytes file) {
  PictureHead head;
  JpegWalker walker(file);
  JpegSegment segment;
  while (walker.Next(&segment) && segment.marker != kJpegSos) {
    head.says_gain_map |= SaysGainMap(segment);
    if (!IsPictureIndex(segment)) continue;
    head.index = segment.payload.subspan(kIndexName.size());
    head.index_begin = segment.end - head.index.size();
  }
  return head;
}

}  // namespace

bool IsPictureIndex(const JpegSegment& segment) {
  return segment.marker == kJpegApp2 && TextOf(segment.payload).starts_with(kIndexName);
}

std::string DescribeExtraPictures(Bytes encoded) {
  const PictureHead main = ReadHead(encoded);
  size_t gain_maps = 0, others = 0;
  for (const uint32_t offset : PictureOffsets(main.index)) {
    const size_t begin = main.index_begin + offset;
    if (offset == 0 || begin >= encoded.size() || encoded.size() - begin < 4) continue;
    const Bytes picture = encoded.subspan(begin);
    if (picture[0] != 0xFF || picture[1] != kJpegSoi) continue;
    ++(ReadHead(picture).says_gain_map ? gain_maps : others);
  }
  // The index is optional for gain maps.
  if (gain_maps > 0 || (main.says_gain_map && others <= 1)) return "the HDR gain map was";
  if (others == 0) return {};
  return others == 1 ? "the second picture of the file was"
                     : std::to_string(others) + " more pictures of the file were";
}

}  // namespace pixpress
