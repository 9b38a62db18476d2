#pragma once
// A part of a scan that is decoded before it is known where in it an MCU begins.
//
// Huffman codes fall into step by themselves: a decoder that starts anywhere soon finds the borders
// of the codes, after some blocks those of the blocks, and by chance and wrong codes those of the
// MCUs. From where the decoder of the part before comes to the begin of an MCU that was found here
// too, both would go on alike.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "codecs/jpeg/drafter.h"
#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/mcu_marks.h"
#include "codecs/jpeg/tokens.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread at a time.
class JpegScanPart {
 public:
  static constexpr size_t kBytes = 64 << 10;
  // How far beyond its end a part is decoded to meet the decoder of the next one, without byte
  // stuffing. Of 1200 parts of photographs half met after 150 bytes, and all after 1150.
  static constexpr size_t kMeetBytes = 1536;
  static constexpr size_t kMostTokens = 2 * kBytes;
  static constexpr size_t kMostMcus = kBytes / 8;

  static uint64_t MemoryBytes();
  Status Start(const JpegFrame& frame, const JpegEntropyDecoder& tables, Meter& meter);

  // Take the data from `offset` on, in a scan without restarts.
  void Load(Bytes scan, size_t offset);
  // Where the part ends that begins at `offset`.
  static size_t EndOf(Bytes scan, size_t offset);
  // Decode from a bit on: of the first MCU if it `is_certain`, else of any. Into the next part
  // if it `overlaps`. Ends early where the data does, where it is wrong or where room ends.
  void Decode(uint32_t bit, bool is_certain, bool overlaps, const JpegDrafter& drafter);

  // Of decoded MCUs, and of what comes after the last one.
  const JpegMcuMark& mark(size_t mcu) const { return marks_[mcu]; }
  size_t mcu_count() const { return mcu_count_; }
  JpegMarkedTokens drafts(bool is_chosen) const {
    return {tokens_, marks_, /*has_differences=*/true, is_chosen};
  }
  // The first mark in the next part, mcu_count() + 1 if there is none.
  size_t FirstBeyond() const;
  uint32_t own_bits() const { return static_cast<uint32_t>(own_bytes_ * 8); }
  // Has the scan ended, to the bit, at this mark?
  bool IsEnd(const JpegMcuMark& mark) const;
  // In the scan, of the byte that holds a bit.
  size_t OffsetOf(uint32_t bit) const;

 private:
  bool ReadMcu(const JpegDrafter& drafter, JpegBitReader& reader, JpegTokenWriter& out,
               std::array<int32_t, 3>& dc);
  uint32_t BitOf(const JpegBitReader& reader) const {
    return static_cast<uint32_t>((reader.next() - bytes_.data()) * 8) - reader.unread_bits();
  }

  const JpegFrame* frame_ = nullptr;
  const JpegEntropyDecoder* tables_ = nullptr;
  Bytes scan_;
  size_t offset_ = 0;
  size_t data_offset_ = 0;  // Where the data ends that was taken.
  size_t own_bytes_ = 0;    // Without byte stuffing and the overlap.
  size_t data_bytes_ = 0;   // With the overlap.
  bool is_data_end_ = false;
  Buffer bytes_;
  Buffer memory_;
  JpegToken* tokens_ = nullptr;
  JpegMcuMark* marks_ = nullptr;
  size_t mcu_count_ = 0;
};

}  // namespace pixpress
