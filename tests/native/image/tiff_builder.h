#pragma once
// TIFF blocks for tests, in either byte order, as damaged as the test wants them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pixpress {

constexpr uint16_t kAscii = 2, kShort = 3, kLong = 4, kRational = 5, kUndefined = 7;

class TiffBuilder {
 public:
  explicit TiffBuilder(bool is_big_endian, uint32_t ifd_offset = 8) : is_big_(is_big_endian) {
    Raw(is_big_ ? "MM" : "II", 2).U16(42).U32(ifd_offset);
  }
  TiffBuilder& U16(uint32_t value) { return Number(value, 2); }
  TiffBuilder& U32(uint32_t value) { return Number(value, 4); }
  TiffBuilder& Raw(const char* data, size_t size) {
    bytes_.insert(bytes_.end(), data, data + size);
    return *this;
  }
  TiffBuilder& Entry(uint16_t tag, uint16_t type, uint32_t count, uint32_t value) {
    return U16(tag).U16(type).U32(count).U32(value);
  }
  // A short lies in the first two of the four value bytes.
  TiffBuilder& ShortEntry(uint16_t tag, uint16_t value) {
    return U16(tag).U16(kShort).U32(1).U16(value).U16(0);
  }
  size_t size() const { return bytes_.size(); }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  TiffBuilder& Number(uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (is_big_ ? bytes - 1 - i : i);
      bytes_.push_back(static_cast<uint8_t>(value >> shift));
    }
    return *this;
  }
  bool is_big_;
  std::vector<uint8_t> bytes_;
};

// What a camera writes: orientation 6, 300 dpi, an artist, a copyright, and pointers to an EXIF IFD
// with a maker note, to a GPS IFD and to IFD1 with a thumbnail, whose contents all say "SECRET".
inline std::vector<uint8_t> CameraExif(bool is_big_endian) {
  const std::string secret = "SECRET";
  constexpr uint32_t kFirstData = 8 + 2 + 8 * 12 + 4;
  constexpr uint32_t kTexts = kFirstData + 16, kExif = kTexts + 24, kGps = kExif + 24;
  constexpr uint32_t kIfd1 = kGps + 24, kThumbnail = kIfd1 + 30;
  TiffBuilder tiff(is_big_endian);
  tiff.U16(8).ShortEntry(0x0112, 6);
  tiff.Entry(0x011A, kRational, 1, kFirstData).Entry(0x011B, kRational, 1, kFirstData + 8);
  tiff.ShortEntry(0x0128, 2);
  tiff.Entry(0x013B, kAscii, 12, kTexts).Entry(0x8298, kAscii, 12, kTexts + 12);
  tiff.Entry(0x8769, kLong, 1, kExif).Entry(0x8825, kLong, 1, kGps).U32(kIfd1);
  tiff.U32(300).U32(1).U32(3000).U32(10).Raw("Ada Artist\0\0", 12).Raw("(c) Company\0", 12);
  const auto one_secret = [&](uint16_t tag) {
    const uint32_t at = static_cast<uint32_t>(tiff.size()) + 18;
    tiff.U16(1).Entry(tag, kUndefined, 6, at).U32(0).Raw(secret.data(), 6);
  };
  one_secret(0x927C);  // MakerNote
  one_secret(0x001D);  // GPSDateStamp
  tiff.U16(2).Entry(0x0201, kLong, 1, kThumbnail).Entry(0x0202, kLong, 1, 6).U32(0);
  return tiff.Raw(secret.data(), 6).Take();
}

}  // namespace pixpress
