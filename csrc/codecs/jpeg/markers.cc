#include "codecs/jpeg/markers.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/checked_math.h"

namespace pixpress {
namespace {

bool StartsWith(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

bool IsSof(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool HasNoLength(uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= kJpegEoi);
}

// Where entropy-coded data that begins at `from` ends: at a marker that is no restart.
size_t FindEndOfScan(Bytes file, size_t from) {
  while (from < file.size()) {
    const void* found = std::memchr(file.data() + from, 0xFF, file.size() - from);
    if (found == nullptr) return file.size();
    from = static_cast<const uint8_t*>(found) - file.data();
    if (from + 1 >= file.size()) return file.size();
    const uint8_t next = file[from + 1];
    if (next == 0xFF) {
      ++from;
    } else if (next == 0 || (next >= 0xD0 && next <= 0xD7)) {
      from += 2;
    } else {
      return from;
    }
  }
  return file.size();
}

// ITU T.81 table K.1; any order will do, only its sum is used.
constexpr std::array<uint16_t, 64> kLumaTable = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

// The sum of the table that libjpeg makes for each quality from 1 on.
constexpr std::array<int, 100> kTableSums = [] {
  std::array<int, 100> sums{};
  for (int quality = 1; quality <= 100; ++quality) {
    const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (const uint16_t value : kLumaTable) {
      sums[quality - 1] += std::clamp((value * scale + 50) / 100, 1, 255);
    }
  }
  return sums;
}();

int EstimateQuality(int table_sum) {
  const auto nearest =
      std::ranges::min_element(kTableSums, {}, [&](int sum) { return std::abs(sum - table_sum); });
  return 1 + static_cast<int>(nearest - kTableSums.begin());
}

void ParseDqt(Bytes payload, JpegHeader* header) {
  while (!payload.empty()) {
    const size_t bytes = payload[0] >> 4 != 0 ? 2 : 1;
    if (payload.size() < 1 + 64 * bytes) return;
    if ((payload[0] & 15) == 0) {
      int sum = 0;
      for (size_t i = 0; i < 64; ++i) {
        const size_t at = 1 + i * bytes;
        sum += bytes == 2 ? payload[at] << 8 | payload[at + 1] : payload[at];
      }
      header->estimated_quality = EstimateQuality(sum);
    }
    payload = payload.subspan(1 + 64 * bytes);
  }
}

// Sequential and progressive images of 8 bits, with Huffman or arithmetic coding.
Status CheckKind(uint8_t sof, uint8_t precision) {
  const auto refuse = [](const std::string& what) {
    return Status(StatusCode::kUnsupportedFormat, "JPEG: " + what + " are not supported");
  };
  if (sof == 0xC3 || sof == 0xCB) return refuse("lossless images (SOF3, SOF11)");
  if (sof == 0xC5 || sof == 0xC6 || sof == 0xC7 || sof > 0xCA) return refuse("hierarchical images");
  if (precision != 8) return refuse("samples of " + std::to_string(precision) + " bits");
  return Status();
}

Status ParseSof(const JpegSegment& segment, JpegHeader* header) {
  const Bytes p = segment.payload;
  const Status corrupt(StatusCode::kCorruptImage, "JPEG: the frame header is damaged");
  if (header->sof != 0 || p.size() < 6 || p.size() < 6 + size_t{3} * p[5]) return corrupt;
  header->sof = segment.marker;
  header->precision = p[0];
  header->height = p[1] << 8 | p[2];
  header->width = p[3] << 8 | p[4];
  header->component_count = p[5];
  if (p[5] != 1 && p[5] != 3 && p[5] != 4) {
    return Status(StatusCode::kUnsupportedFormat,
                  "JPEG: " + std::to_string(p[5]) + " components are not supported");
  }
  for (size_t c = 0; c < p[5]; ++c) {
    const uint8_t sampling = p[7 + 3 * c];
    header->components[c] = {p[6 + 3 * c], static_cast<uint8_t>(sampling >> 4),
                             static_cast<uint8_t>(sampling & 15)};
    const JpegComponent& made = header->components[c];
    if (made.h < 1 || made.h > 4 || made.v < 1 || made.v > 4) return corrupt;
  }
  if (header->width == 0) return corrupt;
  PIXPRESS_RETURN_IF_ERROR(CheckKind(segment.marker, header->precision));
  if (header->height == 0) {
    return Status(StatusCode::kUnsupportedFormat, "JPEG: a height given later is not supported");
  }
  return Status();
}

// As libjpeg guesses it.
ColorModel CodedColor(const JpegHeader& header) {
  if (header.component_count == 1) return ColorModel::kGray;
  if (header.component_count == 4) return ColorModel::kCmyk;
  if (header.has_jfif) return ColorModel::kYCbCr;
  if (header.has_adobe) {
    return header.adobe_transform == 0 ? ColorModel::kRgb : ColorModel::kYCbCr;
  }
  const auto& c = header.components;
  return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B' ? ColorModel::kRgb : ColorModel::kYCbCr;
}

void ParseApp(const JpegSegment& segment, JpegHeader* header) {
  const Bytes p = segment.payload;
  if (segment.marker == kJpegApp0 && p.size() >= 14 && StartsWith(p, {"JFIF", 5})) {
    header->has_jfif = true;
  } else if (segment.marker == kJpegApp14 && p.size() >= 12 && StartsWith(p, "Adobe")) {
    header->has_adobe = true;
    header->adobe_transform = p[11];
  } else if (segment.marker == kJpegApp2 && StartsWith(p, "ICC_PROFILE")) {
    header->has_icc = true;
  }
}

}  // namespace

size_t JpegWalker::EndOfScan(uint64_t most_bytes) {
  const bool is_all = most_bytes >= file_.size() - next_;
  const Bytes seen = is_all ? file_ : file_.first(next_ + static_cast<size_t>(most_bytes) + 1);
  if (is_in_scan_) next_ = FindEndOfScan(seen, next_);
  is_in_scan_ = false;
  return next_;
}

bool JpegWalker::Next(JpegSegment* segment) {
  EndOfScan();
  // Bytes between segments are skipped, as every decoder does.
  while (next_ + 1 < file_.size() &&
         (file_[next_] != 0xFF || file_[next_ + 1] == 0 || file_[next_ + 1] == 0xFF)) {
    ++next_;
  }
  if (next_ + 1 >= file_.size()) return false;
  *segment = {file_[next_ + 1], {}, next_, next_ + 2};
  if (HasNoLength(segment->marker)) {
    next_ = segment->marker == kJpegEoi ? file_.size() : segment->end;
    return true;
  }
  if (file_.size() - next_ < 4) return false;
  const size_t length = size_t{file_[next_ + 2]} << 8 | file_[next_ + 3];
  if (length < 2 || file_.size() - next_ - 2 < length) return false;
  segment->payload = file_.subspan(next_ + 4, length - 2);
  segment->end = next_ + 2 + length;
  is_in_scan_ = segment->marker == kJpegSos;
  next_ = segment->end;
  return true;
}

Result<JpegHeader> ParseJpegHeader(Bytes head) {
  JpegHeader header;
  JpegWalker walker(head);
  JpegSegment segment;
  while (walker.Next(&segment)) {
    if (IsSof(segment.marker)) PIXPRESS_RETURN_IF_ERROR(ParseSof(segment, &header));
    if (segment.marker == kJpegDqt) ParseDqt(segment.payload, &header);
    ParseApp(segment, &header);
    if (segment.marker != kJpegSos && segment.marker != kJpegEoi) continue;
    if (header.sof == 0 || segment.payload.empty()) {
      return Status(StatusCode::kCorruptImage, "JPEG: there is no frame before the first scan");
    }
    header.is_complete = true;
    header.first_scan_components = segment.payload[0];
    header.coded_color = CodedColor(header);
    return header;
  }
  return header;
}

Status CheckJpegScans(Bytes encoded, const Limits& limits) {
  uint64_t pixels = 0, scans = 0;
  JpegWalker walker(encoded);
  JpegSegment segment;
  while (walker.Next(&segment)) {
    const Bytes p = segment.payload;
    if (IsSof(segment.marker) && p.size() >= 5) {
      pixels = uint64_t{static_cast<uint32_t>(p[1] << 8 | p[2])} * (p[3] << 8 | p[4]);
    }
    scans += segment.marker == kJpegSos;
    if (scans <= limits.max_scans && SaturatingMul(pixels, scans) <= limits.max_pixel_scans) {
      continue;
    }
    return Status(StatusCode::kLimitExceeded,
                  "the JPEG has " + std::to_string(scans) + " or more scans of " +
                      std::to_string(pixels) + " pixels; max_scans is " +
                      std::to_string(limits.max_scans) + ", max_pixel_scans " +
                      std::to_string(limits.max_pixel_scans));
  }
  return Status();
}

}  // namespace pixpress
