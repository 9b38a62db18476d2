#pragma once
// Coefficients from the entropy-coded data of one scan, MCU by MCU.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/scan_window.h"

namespace pixpress {

// kJpegNaturalOrder for any position that ReadJpegAc gives: those beyond the block, which hold
// nothing but zeros or damage, go to its last one.
inline constexpr std::array<uint8_t, 80> kJpegSafeOrder = [] {
  std::array<uint8_t, 80> order = {};
  order.fill(63);
  std::copy(kJpegNaturalOrder.begin(), kJpegNaturalOrder.end(), order.begin());
  return order;
}();

// The most that a DC coefficient of an 8-bit image can be, and room.
inline constexpr int32_t kMaxJpegDc = 2047;
constexpr bool IsJpegDc(int32_t value) { return value >= -kMaxJpegDc && value <= kMaxJpegDc; }

// Bounds-checked, and strict: whatever is not in perfect order is refused, so that libjpeg decides
// what it is worth. Used by one thread; borrows the frame and its scan.
class JpegEntropyDecoder {
 public:
  // kUnsupportedFormat if the tables are wrong.
  Status Start(const JpegFrame& frame, Meter& meter);
  // Reads the same frame, with the tables of `other`, which outlives this.
  Status StartLike(const JpegEntropyDecoder& other, Meter& meter);
  static uint64_t MemoryBytes();

  // The blocks of the next row of MCUs, block_columns(c) in each row of component c. False if the
  // data is not in order.
  bool ReadRow(const JpegBlockTargets& blocks);
  // After the last row: is the scan at its end?
  bool is_at_end() const { return window_.is_at_end(); }

  // For those who read the blocks of an MCU themselves, in the order of its components:
  // BeginMcu; of each block ReadJpegDc and ReadJpegAc, or ReadBlock; EndMcu.
  bool BeginMcu() {
    if (mcus_left_ == 0 && !Restart()) return false;
    --mcus_left_;
    window_.Prepare();
    return true;
  }
  bool ReadBlock(JpegBitReader& in, size_t component, int16_t* block);
  bool EndMcu() const { return window_.is_inside(); }
  JpegBitReader& reader() { return window_.reader(); }
  const JpegDecodeTable& dc_table(size_t component) const { return *dc_of_[component]; }
  const JpegDecodeTable& ac_table(size_t component) const { return *ac_of_[component]; }
  int32_t& predictor(size_t component) { return predictors_[component]; }
  const std::array<int32_t, 3>& predictors() const { return predictors_; }
  // Between two MCUs, of which `mcus` were read. After the last one of an interval that is before
  // the marker.
  JpegScanWindow::Place place() const { return window_.place(); }
  void GoTo(const JpegScanWindow::Place& place, uint64_t mcus,
            const std::array<int32_t, 3>& predictors);
  // Before a restart marker, whichever it is.
  void GoToRestart(size_t offset);
  // Is an interval at its end, which is there?
  bool is_at_restart(size_t offset) const {
    return mcus_left_ == 0 && window_.is_consumed_to(offset);
  }
  // The number of the marker after that many MCUs of whole intervals.
  static uint8_t RestartAfter(const JpegFrame& frame, uint64_t mcus) {
    return static_cast<uint8_t>((mcus / frame.restart_interval - 1) & 7);
  }

 private:
  bool Restart();
  bool ReadMcu(const JpegBlockTargets& blocks, uint32_t column);

  const JpegFrame* frame_ = nullptr;
  JpegScanWindow window_;
  uint64_t mcus_left_ = 0;  // In this restart interval.
  uint8_t next_restart_ = 0;
  std::array<int32_t, 3> predictors_ = {};
  // The tables of one kind that are not the standard ones, by their slot in the file: components
  // with the same table share it, to save cache.
  class Tables {
   public:
    // Null if the table is wrong.
    const JpegDecodeTable* Of(size_t slot, const JpegHuffmanSpec& spec, bool is_dc);

   private:
    std::array<std::unique_ptr<JpegDecodeTable>, 4> own_;
  };
  Tables dc_;
  Tables ac_;
  std::array<const JpegDecodeTable*, 3> dc_of_ = {};
  std::array<const JpegDecodeTable*, 3> ac_of_ = {};
};

// The DC coefficient of the next block, or false. Leaves bits for one more symbol.
inline bool ReadJpegDc(JpegBitReader& in, const JpegDecodeTable& table, int32_t* predictor) {
  in.Refill();
  const JpegHuffmanEntry entry = table.Find(in.bits());
  if ((entry & kJpegEntryWrong) != 0) return false;
  const int32_t dc = *predictor + ReadJpegValue(in.bits(), entry).Signed();
  in.Skip(JpegEntryLength(entry));
  *predictor = dc;
  return IsJpegDc(dc);
}

// In line, for the sake of the callers' registers.
inline bool JpegEntropyDecoder::ReadBlock(JpegBitReader& in, size_t component, int16_t* block) {
  std::memset(block, 0, 64 * sizeof *block);
  if (!ReadJpegDc(in, *dc_of_[component], &predictors_[component])) return false;
  block[0] = static_cast<int16_t>(predictors_[component]);
  return ReadJpegAc(in, *ac_of_[component], [&](uint32_t k, JpegValue value) {
    block[kJpegSafeOrder[k]] = static_cast<int16_t>(value.Signed());
  });
}

}  // namespace pixpress
