#pragma once
// The segments of a JPEG file, walked without the library. Untrusted input: bounds-checked.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

enum JpegMarker : uint8_t {
  kJpegDht = 0xC4,
  kJpegSoi = 0xD8,
  kJpegEoi = 0xD9,
  kJpegSos = 0xDA,
  kJpegDqt = 0xDB,
  kJpegApp0 = 0xE0,
  kJpegApp1 = 0xE1,
  kJpegApp2 = 0xE2,
  kJpegApp13 = 0xED,
  kJpegApp14 = 0xEE,
  kJpegApp15 = 0xEF,
  kJpegComment = 0xFE,
};

struct JpegSegment {
  uint8_t marker = 0;
  Bytes payload;     // Without marker and length.
  size_t begin = 0;  // Of the 0xFF in the file.
  size_t end = 0;    // After the segment; of SOS, before its entropy-coded data.
};

// Borrows the file.
class JpegWalker {
 public:
  explicit JpegWalker(Bytes file) : file_(file) {}
  // The next segment after SOI; false at the end of the data or where it makes no sense.
  bool Next(JpegSegment* segment);
  // After SOS: where its entropy-coded data ends. Costs a pass over it, which Next does else.
  // Looks no further than `most_bytes`, and one more, which then belong to it.
  size_t EndOfScan(uint64_t most_bytes = std::numeric_limits<uint64_t>::max());

 private:
  Bytes file_;
  size_t next_ = 2;
  bool is_in_scan_ = false;
};

struct JpegComponent {
  uint8_t id = 0;
  uint8_t h = 1;
  uint8_t v = 1;
};

struct JpegHeader {
  bool is_complete = false;  // The first SOS was seen.
  uint8_t sof = 0;           // The SOF marker.
  uint8_t precision = 8;
  uint32_t width = 0;
  uint32_t height = 0;
  uint8_t component_count = 0;
  std::array<JpegComponent, 4> components;
  uint8_t first_scan_components = 0;
  bool has_jfif = false;
  bool has_adobe = false;
  bool has_icc = false;
  uint8_t adobe_transform = 0;
  int estimated_quality = 0;
  ColorModel coded_color = ColorModel::kYCbCr;
};

// Everything up to the first SOS. Incomplete input is OK with is_complete false.
Result<JpegHeader> ParseJpegHeader(Bytes head);

// kLimitExceeded if decoding would take too many scans. Costs one pass over the bytes.
Status CheckJpegScans(Bytes encoded, const Limits& limits);

}  // namespace pixpress
