#include "codecs/jpeg/scan_part.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace pixpress {
namespace {

constexpr size_t kReadAhead = JpegScanWindow::kMcuBytes + 16;
// Of the scan: so much with byte stuffing, and an MCU that begins last.
constexpr size_t kOverlapBytes = 2 * (JpegScanPart::kMeetBytes + JpegScanWindow::kMcuBytes);
constexpr size_t kMostBytes = JpegScanPart::kBytes + 1 + kOverlapBytes;
constexpr size_t kMostMcuTokens = kMaxJpegMcuBlocks * kMaxBlockDraft + kTokenSlack;

size_t MarkBytes() { return (JpegScanPart::kMostMcus + 1) * sizeof(JpegMcuMark); }
size_t TokenBytes() { return (JpegScanPart::kMostTokens + kMostMcuTokens) * sizeof(JpegToken); }

}  // namespace

uint64_t JpegScanPart::MemoryBytes() {
  return BufferPool::CapacityFor(kMostBytes + kReadAhead) +
         BufferPool::CapacityFor(MarkBytes() + TokenBytes());
}

Status JpegScanPart::Start(const JpegFrame& frame, const JpegEntropyDecoder& tables, Meter& meter) {
  frame_ = &frame;
  tables_ = &tables;
  PIXPRESS_ASSIGN_OR_RETURN(bytes_, meter.Allocate(kMostBytes + kReadAhead));
  PIXPRESS_ASSIGN_OR_RETURN(memory_, meter.Allocate(MarkBytes() + TokenBytes()));
  marks_ = memory_.as<JpegMcuMark>();
  tokens_ = reinterpret_cast<JpegToken*>(memory_.data() + MarkBytes());
  return Status();
}

size_t JpegScanPart::EndOf(Bytes scan, size_t offset) {
  const size_t end = std::min(offset + kBytes, scan.size());
  // A stuffed zero belongs to the byte before it.
  const bool splits = end > 0 && end < scan.size() && scan[end - 1] == 0xFF && scan[end] == 0;
  return splits ? end + 1 : end;
}

void JpegScanPart::Load(Bytes scan, size_t offset) {
  scan_ = scan;
  offset_ = offset;
  uint8_t* to = bytes_.data();
  own_bytes_ = 0;
  is_data_end_ = false;
  const auto take = [&](size_t until) {
    while (offset < until && !is_data_end_) {
      const uint8_t* const from = scan.data() + offset;
      const void* const found = std::memchr(from, 0xFF, until - offset);
      const size_t plain =
          found == nullptr ? until - offset : static_cast<const uint8_t*>(found) - from;
      std::memcpy(to, from, plain);
      to += plain;
      offset += plain;
      if (found == nullptr) return;
      // A marker, or a last 0xFF on its own, ends the data.
      is_data_end_ = offset + 1 == scan.size() || scan[offset + 1] != 0;
      if (is_data_end_) return;
      *to++ = 0xFF;
      offset += 2;
    }
  };
  const size_t end = EndOf(scan, offset);
  take(end);
  own_bytes_ = static_cast<size_t>(to - bytes_.data());
  take(std::min(end + kOverlapBytes, scan.size()));
  data_bytes_ = static_cast<size_t>(to - bytes_.data());
  data_offset_ = offset;
  is_data_end_ |= offset >= scan.size();
  std::memset(to, 0, kReadAhead);
  mcu_count_ = 0;
}

// With the differences of DC as they are: what they add up to is not known yet.
bool JpegScanPart::ReadMcu(const JpegDrafter& drafter, JpegBitReader& reader, JpegTokenWriter& out,
                           std::array<int32_t, 3>& dc) {
  JpegBitReader in = reader;  // Of its own, for registers.
  JpegTokenWriter writer = out;
  for (size_t c = 0; c < frame_->component_count; ++c) {
    const JpegDecodeTable& dc_table = tables_->dc_table(c);
    const JpegDecodeTable& ac_table = tables_->ac_table(c);
    for (int i = 0; i < frame_->components[c].h * frame_->components[c].v; ++i) {
      in.Refill();
      const JpegHuffmanEntry entry = dc_table.Find(in.bits());
      if ((entry & kJpegEntryWrong) != 0) return false;
      const int32_t difference = ReadJpegValue(in.bits(), entry).Signed();
      in.Skip(JpegEntryLength(entry));
      dc[c] += difference;
      writer.PutDc(difference);
      if (!drafter.ReadAc(in, ac_table, c, writer)) return false;
    }
  }
  reader = in;
  out = writer;
  return true;
}

void JpegScanPart::Decode(uint32_t bit, bool is_certain, bool overlaps,
                          const JpegDrafter& drafter) {
  const auto data_bits = static_cast<uint32_t>(data_bytes_ * 8);
  uint32_t end_bit = own_bits();
  if (is_data_end_) {
    end_bit = data_bits;
  } else if (overlaps) {
    end_bit += static_cast<uint32_t>(8 * kMeetBytes);
  }
  const auto start = [&](uint32_t at) {
    JpegBitReader reader(bytes_.data() + at / 8);
    reader.Refill();
    reader.Skip(at % 8);
    mcu_count_ = 0;
    return reader;
  };
  JpegBitReader reader = start(bit);
  JpegTokenWriter out(tokens_);
  std::array<int32_t, 3> dc = {};
  for (;;) {
    JpegMcuMark& mark = marks_[mcu_count_];
    mark.bit = BitOf(reader);
    mark.token = static_cast<uint32_t>(out.next() - tokens_);
    for (size_t c = 0; c < 3; ++c) mark.dc[c] = static_cast<int16_t>(dc[c]);
    if (mark.bit >= end_bit) return;
    if (mcu_count_ == kMostMcus || mark.token > kMostTokens) return;
    const bool is_good = ReadMcu(drafter, reader, out, dc);
    const bool is_inside = BitOf(reader) <= data_bits;
    if (is_good && is_inside) {
      ++mcu_count_;
    } else if (is_certain || !is_inside || data_bits - mark.bit < 8) {
      return;
    } else {
      // Nothing here was worth anything: try again from the next byte on.
      reader = start((mark.bit / 8 + 1) * 8);
      out = JpegTokenWriter(tokens_);
    }
  }
}

size_t JpegScanPart::FirstBeyond() const {
  const std::span<const JpegMcuMark> marks(marks_, mcu_count_ + 1);
  return static_cast<size_t>(std::ranges::lower_bound(marks, own_bits(), {}, &JpegMcuMark::bit) -
                             marks.begin());
}

bool JpegScanPart::IsEnd(const JpegMcuMark& mark) const {
  return is_data_end_ && data_bytes_ * 8 - mark.bit < 8 && IsJpegEoi(scan_.subspan(data_offset_));
}

size_t JpegScanPart::OffsetOf(uint32_t bit) const {
  const size_t byte = bit / 8;
  return offset_ + byte +
         static_cast<size_t>(std::count(bytes_.data(), bytes_.data() + byte, 0xFF));
}

}  // namespace pixpress
