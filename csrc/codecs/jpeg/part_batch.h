#pragma once
// The parts of a scan that are read at the same time.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/scan_part.h"
#include "codecs/jpeg/source_rows.h"

namespace pixpress {

// Where each begins, and what is known of them. Used by one thread while no part is read.
class JpegPartBatch {
 public:
  // Enough for some threads, but an image has more than one batch.
  static constexpr size_t kMostParts = 16;
  // Of a file of so many bytes; 0 is unknown.
  static size_t PartsOf(uint64_t encoded_bytes) {
    if (encoded_bytes == 0) return kMostParts;
    return std::clamp<uint64_t>(encoded_bytes / JpegScanPart::kBytes / 6, 2, kMostParts);
  }

  // As many as so many threads can do with: the fewer, the sooner what is learned of them is known.
  static size_t PartsFor(size_t threads, size_t most_parts) {
    constexpr size_t kPerThread = 4;
    return std::min(kPerThread * threads, most_parts);
  }

  // At most `most_parts` from `position` on, of which end_of(offset) says where each ends. Parts
  // are chosen at once if they surely come before `end_row`.
  template <typename EndOf>
  void Begin(const JpegFrame& frame, const JpegPosition& position, size_t most_parts,
             uint32_t end_row, const EndOf& end_of) {
    offsets_[0] = position.place.offset;
    count_ = 0;
    do {
      offsets_[count_ + 1] = end_of(offsets_[count_]);
      ++count_;
    } while (count_ < most_parts && offsets_[count_] < frame.scan.size());
    end_mcus_ = uint64_t{end_row} * frame.mcu_columns;
    is_chosen_ = !was_cut_ && std::min(MostMcus(position), frame.mcu_count()) <= end_mcus_;
    was_cut_ = false;
    last_ = position;
  }
  size_t count() const { return count_; }
  size_t offset(size_t part) const { return offsets_[part]; }
  bool is_chosen() const { return is_chosen_; }
  // A part that ends after so many MCUs: does it come too late for what it was chosen by? Then it
  // is to be read again.
  bool Cuts(uint64_t mcus) {
    was_cut_ = is_chosen_ && mcus > end_mcus_;
    return was_cut_;
  }
  bool was_cut() const { return was_cut_; }

 private:
  // That were read after the batch, half as many again as the one before lets expect.
  uint64_t MostMcus(const JpegPosition& position) const;

  std::array<size_t, kMostParts + 1> offsets_ = {};
  size_t count_ = 0;
  uint64_t end_mcus_ = 0;
  bool is_chosen_ = false;
  bool was_cut_ = false;
  JpegPosition last_;
};

}  // namespace pixpress
