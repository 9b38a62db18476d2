#include "codecs/jpeg/frame.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"
#include "codecs/jpeg/markers.h"

namespace pixpress {
namespace {

constexpr uint8_t kBaseline = 0xC0, kExtended = 0xC1;
constexpr uint8_t kDri = 0xDD;

Status Unsupported(const char* what) {
  return Status(StatusCode::kUnsupportedFormat, std::string("JPEG: ") + what);
}

// What the segments before the scan have defined so far.
struct Tables {
  std::array<bool, 4> has_quant = {};
  std::array<bool, 4> has_dc = {};
  std::array<bool, 4> has_ac = {};
  bool has_frame = false;
};

bool ReadQuant(Bytes p, JpegFrame* frame, Tables* tables) {
  while (!p.empty()) {
    const size_t bytes = p[0] >> 4 != 0 ? 2 : 1;
    const size_t index = p[0] & 15;
    if (index > 3 || p[0] >> 4 > 1 || p.size() < 1 + 64 * bytes) return false;
    for (size_t k = 0; k < 64; ++k) {
      const size_t at = 1 + k * bytes;
      const int value = bytes == 2 ? p[at] << 8 | p[at + 1] : p[at];
      if (value == 0) return false;
      frame->quant[index][k] = static_cast<uint16_t>(value);
    }
    tables->has_quant[index] = true;
    p = p.subspan(1 + 64 * bytes);
  }
  return true;
}

bool ReadHuffman(Bytes p, JpegFrame* frame, Tables* tables) {
  while (!p.empty()) {
    const bool is_ac = p[0] >> 4 == 1;
    const size_t index = p[0] & 15;
    if (p[0] >> 4 > 1 || index > 3 || p.size() < 17) return false;
    JpegHuffmanSpec spec;
    std::copy_n(p.begin() + 1, 16, spec.counts.begin() + 1);
    const size_t count = static_cast<size_t>(spec.symbol_count());
    if (count > 256 || p.size() < 17 + count) return false;
    std::copy_n(p.begin() + 17, count, spec.symbols.begin());
    (is_ac ? frame->ac : frame->dc)[index] = spec;
    (is_ac ? tables->has_ac : tables->has_dc)[index] = true;
    p = p.subspan(17 + count);
  }
  return true;
}

// ParseJpegHeader has checked the size of the segment and the factors.
void ReadFrame(Bytes p, JpegFrame* frame) {
  frame->height = p[1] << 8 | p[2];
  frame->width = p[3] << 8 | p[4];
  frame->component_count = p[5];
  for (size_t c = 0; c < p[5]; ++c) {
    JpegFrameComponent& component = frame->components[c];
    component.id = p[6 + 3 * c];
    component.h = p[7 + 3 * c] >> 4;
    component.v = p[7 + 3 * c] & 15;
    component.quant = p[8 + 3 * c];
    // A single component has no neighbors to be interleaved with.
    if (p[5] == 1) component.h = component.v = 1;
    frame->max_h = std::max(frame->max_h, component.h);
    frame->max_v = std::max(frame->max_v, component.v);
  }
  frame->mcu_columns = DivideRoundingUp(frame->width, 8u * frame->max_h);
  frame->mcu_rows = DivideRoundingUp(frame->height, 8u * frame->max_v);
}

bool ReadScan(Bytes p, const Tables& tables, JpegFrame* frame) {
  const size_t count = frame->component_count;
  if (p.size() != 4 + 2 * count || p[0] != count) return false;
  for (size_t c = 0; c < count; ++c) {
    JpegFrameComponent& component = frame->components[c];
    component.dc = p[2 + 2 * c] >> 4;
    component.ac = p[2 + 2 * c] & 15;
    if (p[1 + 2 * c] != component.id || component.dc > 3 || component.ac > 3 ||
        component.quant > 3 || !tables.has_dc[component.dc] || !tables.has_ac[component.ac] ||
        !tables.has_quant[component.quant]) {
      return false;
    }
    for (size_t other = 0; other < c; ++other) {
      if (frame->components[other].id == component.id) return false;
    }
  }
  const Bytes rest = p.subspan(1 + 2 * count);
  return rest[0] == 0 && rest[1] == 63 && rest[2] == 0 && frame->mcu_blocks() <= kMaxJpegMcuBlocks;
}

// A file that was cut off is not worth being read up to there. Looks from the end on, where the
// marker is.
bool HasEnd(Bytes scan) {
  while (scan.size() >= 2) {
    const void* const found = memrchr(scan.data() + 1, kJpegEoi, scan.size() - 1);
    if (found == nullptr) return false;
    const auto at = static_cast<size_t>(static_cast<const uint8_t*>(found) - scan.data());
    if (scan[at - 1] == 0xFF) return true;
    scan = scan.first(at);
  }
  return false;
}

// False if the segment cannot be taken.
bool ReadSegment(const JpegSegment& segment, JpegFrame* frame, Tables* tables) {
  const Bytes p = segment.payload;
  switch (segment.marker) {
    case kJpegDqt:
      return ReadQuant(p, frame, tables);
    case kJpegDht:
      return ReadHuffman(p, frame, tables);
    case kDri:
      if (p.size() != 2) return false;
      frame->restart_interval = p[0] << 8 | p[1];
      return true;
    case kBaseline:
    case kExtended:
      if (p.size() != 6 + size_t{3} * p[5]) return false;
      tables->has_frame = true;
      ReadFrame(p, frame);
      return true;
    default:
      return (segment.marker >= kJpegApp0 && segment.marker <= kJpegApp15) ||
             segment.marker == kJpegComment || segment.marker == kJpegSos;
  }
}

}  // namespace

uint32_t JpegFrame::mcu_blocks() const {
  uint32_t blocks = 0;
  for (size_t c = 0; c < component_count; ++c) blocks += components[c].h * components[c].v;
  return blocks;
}

Result<JpegFrame> ParseJpegFrame(Bytes encoded) {
  PIXPRESS_ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(encoded));
  if (!header.is_complete || (header.sof != kBaseline && header.sof != kExtended) ||
      (header.component_count != 1 && header.component_count != 3)) {
    return Unsupported("not a sequential Huffman image of one or three components");
  }
  JpegFrame frame;
  Tables tables;
  JpegWalker walker(encoded);
  JpegSegment segment;
  do {
    if (!walker.Next(&segment) || !ReadSegment(segment, &frame, &tables)) {
      return Unsupported("a segment of the header is unusual");
    }
  } while (segment.marker != kJpegSos);
  if (!tables.has_frame || !ReadScan(segment.payload, tables, &frame)) {
    return Unsupported("not one scan of all components");
  }
  frame.scan = encoded.subspan(segment.end);
  if (!HasEnd(frame.scan)) return Unsupported("there is no end");
  return frame;
}

}  // namespace pixpress
