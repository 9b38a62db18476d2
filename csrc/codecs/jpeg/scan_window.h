#pragma once
// Entropy-coded data without its byte stuffing, one restart interval after the other.

#include <cstddef>
#include <cstdint>

#include "codecs/codec.h"
#include "codecs/jpeg/bit_reader.h"
#include "codecs/jpeg/markers.h"
#include "memory/meter.h"

namespace pixpress {

inline bool IsJpegEoi(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == kJpegEoi;
}

// Shows a window of the scan to a JpegBitReader. Used by one thread; borrows the scan.
class JpegScanWindow {
 public:
  // More than the longest MCU has, and than a reader looks ahead.
  static constexpr size_t kMcuBytes = 2560;

  Status Start(Bytes scan, Meter& meter);
  static uint64_t MemoryBytes();

  // The byte of the scan that the next bit is in or after, and which of its bits and those after
  // it, without byte stuffing, that is.
  struct Place {
    size_t offset = 0;
    uint32_t bit = 0;
  };
  Place place() const;
  // Go on there; at most 16 KiB after the byte.
  void GoTo(const Place& place);

  JpegBitReader& reader() { return reader_; }
  // Make sure that a whole MCU of the interval can be read, or all that is left of it. Cheap.
  void Prepare() {
    if (!is_interval_whole_ && reader_.next() + kMcuBytes > end_) Fill();
  }
  // Did the reader stay inside of the data?
  bool is_inside() const {
    return reader_.next() <= end_ ||
           static_cast<size_t>(reader_.next() - end_) * 8 <= reader_.unread_bits();
  }
  // Leave an interval that was read to the end, by the marker that should follow. False if there
  // are whole bytes left, or another marker.
  bool NextInterval(uint8_t marker);
  // Was an interval read to its end, which is there?
  bool is_consumed_to(size_t offset) const { return next_ == offset && is_consumed(); }
  // The scan was read to the end, and that of the image follows.
  bool is_at_end() const { return is_consumed() && IsJpegEoi(scan_.subspan(next_)); }

 private:
  void Fill();
  bool is_consumed() const;

  Bytes scan_;
  size_t next_ = 0;  // In the scan.
  Buffer buffer_;
  uint8_t* end_ = nullptr;          // Of the clean bytes in the buffer.
  bool is_interval_whole_ = false;  // Its last byte is in the buffer.
  JpegBitReader reader_;
};

}  // namespace pixpress
