#include "codecs/jpeg/scan_window.h"

#include <algorithm>
#include <cstring>

namespace pixpress {
namespace {

// Fits the second-level cache along with the tables and what is made of the data.
constexpr size_t kWindowBytes = 32 << 10;
constexpr size_t kReadAhead = 8;

}  // namespace

uint64_t JpegScanWindow::MemoryBytes() {
  return BufferPool::CapacityFor(kWindowBytes + 2 * kMcuBytes + kReadAhead);
}

Status JpegScanWindow::Start(Bytes scan, Meter& meter) {
  scan_ = scan;
  next_ = 0;
  PIXPRESS_ASSIGN_OR_RETURN(buffer_, meter.Allocate(kWindowBytes + 2 * kMcuBytes + kReadAhead));
  std::memset(buffer_.data(), 0, buffer_.size());
  end_ = buffer_.data();
  is_interval_whole_ = false;
  reader_ = JpegBitReader(buffer_.data());
  return Status();
}

void JpegScanWindow::Fill() {
  const size_t kept = static_cast<size_t>(end_ - reader_.next());
  std::memmove(buffer_.data(), reader_.next(), kept);
  reader_.Move(reader_.next(), buffer_.data());
  end_ = buffer_.data() + kept;
  uint8_t* const limit = buffer_.data() + kWindowBytes;
  while (end_ < limit && !is_interval_whole_) {
    const size_t most = std::min<size_t>(limit - end_, scan_.size() - next_);
    const uint8_t* const from = scan_.data() + next_;
    const void* const found = std::memchr(from, 0xFF, most);
    const size_t plain = found == nullptr ? most : static_cast<const uint8_t*>(found) - from;
    std::memcpy(end_, from, plain);
    end_ += plain;
    next_ += plain;
    if (next_ == scan_.size()) {
      is_interval_whole_ = true;
    } else if (found != nullptr) {
      // A marker, or a last 0xFF on its own, ends the interval.
      if (next_ + 1 == scan_.size() || scan_[next_ + 1] != 0) {
        is_interval_whole_ = true;
      } else {
        *end_++ = 0xFF;
        next_ += 2;
      }
    }
  }
  std::memset(end_, 0, kReadAhead);
}

JpegScanWindow::Place JpegScanWindow::place() const {
  // The bytes between the reader and what was copied last, each 0xFF of which is two of the scan.
  const uint8_t* const reader_end = std::min<const uint8_t*>(reader_.next(), end_);
  const uint8_t* const copied_end = end_;
  size_t offset = next_ - static_cast<size_t>(copied_end - reader_end) -
                  static_cast<size_t>(std::count(reader_end, copied_end, 0xFF));
  // And those in the reader, which may be in the buffer no more.
  const uint32_t unread = reader_.unread_bits();
  const auto beyond = static_cast<uint32_t>(reader_.next() - reader_end);
  for (uint32_t left = (unread + 7) / 8; left > beyond && offset > 0; --left) {
    const bool is_stuffed = offset > 1 && scan_[offset - 1] == 0 && scan_[offset - 2] == 0xFF;
    offset -= is_stuffed ? 2 : 1;
  }
  return {offset, (8 - unread % 8) % 8};
}

void JpegScanWindow::GoTo(const Place& place) {
  next_ = place.offset;
  is_interval_whole_ = false;
  end_ = buffer_.data();
  reader_ = JpegBitReader(buffer_.data());
  Prepare();
  for (uint32_t left = place.bit; left > 0;) {
    const uint32_t count = std::min(left, 48u);
    reader_.Refill();
    reader_.Skip(count);
    left -= count;
  }
}

bool JpegScanWindow::is_consumed() const {
  if (!is_interval_whole_ || !is_inside()) return false;
  // At most the rest of a byte is left.
  const ptrdiff_t unread_bytes = end_ - reader_.next();
  return unread_bytes * 8 + static_cast<ptrdiff_t>(reader_.unread_bits()) < 8;
}

bool JpegScanWindow::NextInterval(uint8_t marker) {
  if (!is_consumed()) return false;
  if (scan_.size() - next_ < 2 || scan_[next_] != 0xFF || scan_[next_ + 1] != marker) return false;
  next_ += 2;
  end_ = buffer_.data();
  std::memset(end_, 0, kReadAhead);
  is_interval_whole_ = false;
  reader_ = JpegBitReader(buffer_.data());
  return true;
}

}  // namespace pixpress
