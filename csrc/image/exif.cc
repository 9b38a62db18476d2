#include "image/exif.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pixpress {
namespace {

// TIFF 6.0 and EXIF 2.32: tags of IFD0.
enum Tag : uint16_t {
  kTagOrientation = 0x0112,
  kTagXResolution = 0x011A,
  kTagYResolution = 0x011B,
  kTagResolutionUnit = 0x0128,
  kTagArtist = 0x013B,
  kTagCopyright = 0x8298,
};
enum Type : uint16_t { kTypeAscii = 2, kTypeShort = 3, kTypeLong = 4, kTypeRational = 5 };

constexpr size_t kHeaderBytes = 8;
constexpr size_t kEntryBytes = 12;
// More entries than any camera writes in IFD0; the rest is not looked at.
constexpr size_t kMaxEntries = 512;
constexpr size_t kMaxTextBytes = 4096;

// Reads numbers of a TIFF block; a read outside of it gives 0.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> tiff) : tiff_(tiff) {
    is_valid_ = tiff.size() >= kHeaderBytes && (std::memcmp(tiff.data(), "II*\0", 4) == 0 ||
                                                std::memcmp(tiff.data(), "MM\0*", 4) == 0);
    is_big_endian_ = is_valid_ && tiff[0] == 'M';
  }
  bool is_valid() const { return is_valid_; }
  bool is_big_endian() const { return is_big_endian_; }
  bool Holds(size_t offset, size_t bytes) const {
    return offset <= tiff_.size() && tiff_.size() - offset >= bytes;
  }
  uint32_t Number(size_t offset, size_t bytes) const {
    if (!Holds(offset, bytes)) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      value = value << 8 | tiff_[offset + (is_big_endian_ ? i : bytes - 1 - i)];
    }
    return value;
  }
  std::string Text(size_t offset, size_t bytes) const {
    if (!Holds(offset, bytes)) return {};
    const char* first = reinterpret_cast<const char*>(tiff_.data()) + offset;
    const size_t most = std::min(bytes, kMaxTextBytes);
    return std::string(first, std::find(first, first + most, '\0'));
  }

 private:
  std::span<const uint8_t> tiff_;
  bool is_valid_ = false;
  bool is_big_endian_ = false;
};

struct Entry {
  uint16_t tag;
  uint16_t type;
  uint32_t count;
  size_t value_offset;  // Of the four bytes that hold the value or its offset.
};

template <typename Visit>
void ForEachEntry(const Reader& reader, Visit visit) {
  if (!reader.is_valid()) return;
  const size_t ifd = reader.Number(4, 4);
  const size_t count = std::min<size_t>(reader.Number(ifd, 2), kMaxEntries);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = ifd + 2 + i * kEntryBytes;
    if (!reader.Holds(at, kEntryBytes)) return;
    visit(Entry{static_cast<uint16_t>(reader.Number(at, 2)),
                static_cast<uint16_t>(reader.Number(at + 2, 2)), reader.Number(at + 4, 4), at + 8});
  }
}

// The bytes of a whole number in an entry; 0 if it holds something else.
size_t NumberBytes(const Entry& entry) {
  return entry.type == kTypeShort ? 2 : entry.type == kTypeLong ? 4 : 0;
}

std::string ReadText(const Reader& reader, const Entry& entry) {
  if (entry.type != kTypeAscii) return {};
  const size_t offset =
      entry.count <= 4 ? entry.value_offset : reader.Number(entry.value_offset, 4);
  return reader.Text(offset, entry.count);
}

uint32_t ReadRational(const Reader& reader, const Entry& entry) {
  if (entry.type != kTypeRational) return 0;
  const size_t offset = reader.Number(entry.value_offset, 4);
  const uint32_t denominator = reader.Number(offset + 4, 4);
  return denominator == 0 ? 0 : reader.Number(offset, 4) / denominator;
}

// Writes a little-endian TIFF block with one IFD.
class Writer {
 public:
  void AddShort(uint16_t tag, uint16_t value) {
    entries_.push_back({tag, kTypeShort, 1, {}, value});
  }
  void AddText(uint16_t tag, const std::string& text) {
    std::vector<uint8_t> bytes(text.begin(), text.end());
    bytes.push_back(0);
    entries_.push_back({tag, kTypeAscii, static_cast<uint32_t>(bytes.size()), bytes, 0});
  }
  void AddRational(uint16_t tag, uint32_t value) {
    std::vector<uint8_t> bytes;
    Put(bytes, value, 4);
    Put(bytes, 1, 4);
    entries_.push_back({tag, kTypeRational, 1, bytes, 0});
  }
  bool empty() const { return entries_.empty(); }

  std::vector<uint8_t> Finish() {
    std::sort(entries_.begin(), entries_.end(),
              [](const Out& a, const Out& b) { return a.tag < b.tag; });
    std::vector<uint8_t> tiff = {'I', 'I', '*', 0, kHeaderBytes, 0, 0, 0};
    Put(tiff, static_cast<uint32_t>(entries_.size()), 2);
    size_t data_offset = kHeaderBytes + 2 + entries_.size() * kEntryBytes + 4;
    std::vector<uint8_t> data;
    for (const Out& entry : entries_) {
      Put(tiff, entry.tag, 2);
      Put(tiff, entry.type, 2);
      Put(tiff, entry.count, 4);
      if (entry.bytes.empty()) {
        Put(tiff, entry.value, 4);
      } else if (entry.bytes.size() <= 4) {
        std::vector<uint8_t> padded = entry.bytes;
        padded.resize(4);
        tiff.insert(tiff.end(), padded.begin(), padded.end());
      } else {
        Put(tiff, static_cast<uint32_t>(data_offset + data.size()), 4);
        data.insert(data.end(), entry.bytes.begin(), entry.bytes.end());
        if (data.size() % 2 != 0) data.push_back(0);
      }
    }
    Put(tiff, 0, 4);
    tiff.insert(tiff.end(), data.begin(), data.end());
    return tiff;
  }

 private:
  struct Out {
    uint16_t tag;
    uint16_t type;
    uint32_t count;
    std::vector<uint8_t> bytes;  // Empty: `value` is stored in the entry.
    uint32_t value;
  };
  static void Put(std::vector<uint8_t>& out, uint32_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  std::vector<Out> entries_;
};

// EXIF knows inches and centimeters; an aspect ratio it cannot say.
void AddDensity(const Density& density, Writer& writer) {
  if (density.unit == Density::Unit::kAspect) return;
  const uint32_t divisor = density.unit == Density::Unit::kPerMeter ? 100 : 1;
  writer.AddRational(kTagXResolution, std::max(density.x / divisor, 1u));
  writer.AddRational(kTagYResolution, std::max(density.y / divisor, 1u));
  writer.AddShort(kTagResolutionUnit, density.unit == Density::Unit::kPerInch ? 2 : 3);
}

}  // namespace

std::span<const uint8_t> TiffBlock(std::span<const uint8_t> payload) {
  constexpr std::array<uint8_t, 6> kPrefix = {'E', 'x', 'i', 'f', 0, 0};
  const bool has_prefix = payload.size() >= kPrefix.size() &&
                          std::equal(kPrefix.begin(), kPrefix.end(), payload.begin());
  return has_prefix ? payload.subspan(kPrefix.size()) : payload;
}

ExifSummary ParseExif(std::span<const uint8_t> tiff) {
  const Reader reader(tiff);
  ExifSummary summary;
  Density density{0, 0, Density::Unit::kPerInch};
  ForEachEntry(reader, [&](const Entry& entry) {
    const uint32_t number = reader.Number(entry.value_offset, NumberBytes(entry));
    if (entry.tag == kTagOrientation && number >= 1 && number <= 8) {
      summary.orientation = static_cast<uint8_t>(number);
    }
    if (entry.tag == kTagArtist) summary.artist = ReadText(reader, entry);
    if (entry.tag == kTagCopyright) summary.copyright = ReadText(reader, entry);
    if (entry.tag == kTagXResolution) density.x = ReadRational(reader, entry);
    if (entry.tag == kTagYResolution) density.y = ReadRational(reader, entry);
    if (entry.tag == kTagResolutionUnit && number == 3) density.unit = Density::Unit::kPerCm;
  });
  if (density.x != 0 && density.y != 0) summary.density = density;
  return summary;
}

std::vector<uint8_t> BuildExif(const ExifSummary& summary) {
  Writer writer;
  if (summary.orientation != 1) writer.AddShort(kTagOrientation, summary.orientation);
  if (!summary.artist.empty()) writer.AddText(kTagArtist, summary.artist);
  if (!summary.copyright.empty()) writer.AddText(kTagCopyright, summary.copyright);
  if (summary.density.has_value()) AddDensity(*summary.density, writer);
  return writer.empty() ? std::vector<uint8_t>() : writer.Finish();
}

void SetExifOrientation(std::vector<uint8_t>& tiff, uint8_t orientation) {
  const Reader reader(tiff);
  ForEachEntry(reader, [&](const Entry& entry) {
    const size_t bytes = NumberBytes(entry);
    if (entry.tag != kTagOrientation || entry.value_offset + bytes > tiff.size()) return;
    for (size_t i = 0; i < bytes; ++i) {
      const bool is_lowest = i == (reader.is_big_endian() ? bytes - 1 : 0);
      tiff[entry.value_offset + i] = is_lowest ? orientation : 0;
    }
  });
}

}  // namespace pixpress
