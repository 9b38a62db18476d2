#pragma once
// Where the blocks of a scan without restarts begin, and their DC, without their AC coefficients.
//
// A decoder waits for each look-up before the next one. So three decoders take turns here, in one
// loop without branches on data: one from where an MCU is known to begin, and two further on, which
// fall into step by themselves (scan_part.h). Where one comes to the begin of an MCU that the next
// one found too, both would go on alike.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/skip_table.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread; borrows the frame and the decoder.
class JpegBlockFinder {
 public:
  JpegBlockFinder() = default;
  JpegBlockFinder(const JpegBlockFinder&) = delete;
  JpegBlockFinder& operator=(const JpegBlockFinder&) = delete;

  static constexpr size_t kWays = 3;
  using SkipTables = std::array<const JpegSkipTable*, 3>;  // Of each component; of both kinds.

  // `decoder` is at the begin of the scan.
  Status Start(const JpegFrame& frame, JpegEntropyDecoder& decoder, const SkipTables& dc,
               const SkipTables& ac, Meter& meter);
  static uint64_t MemoryBytes();

  // Where the samples of a component go, one of each block.
  struct Target {
    uint8_t* rows = nullptr;
    size_t stride_bytes = 0;
    int32_t step = 1;  // Of quantization, of DC.
  };
  using Targets = std::array<Target, 3>;

  // The next MCUs, at most `count`. Returns how many. If less, the decoder goes on from there: near
  // the end, and where something is not in order.
  uint32_t ReadFlat(uint32_t count, const Targets& targets);

 private:
  // A symbol that is due in an MCU: the DC or all AC of a block.
  struct Due {
    const JpegSkipTable* skips = nullptr;
    const Due* next = nullptr;
    uint64_t kept = 0;  // Of Way::at. Steps are counted anew from DC on.
    const JpegDecodeTable* table = nullptr;
    bool is_dc = false;
  };
  struct Way {
    uint64_t at = 0;  // The next bit, and below it as a skip table's sums how many coefficients of
                      // the block were read.
    const Due* due = nullptr;
    uint32_t* end = nullptr;     // Of the blocks' begins; where the next one goes.
    uint32_t* begins = nullptr;  // In bits.
    bool is_certain = false;     // What it begins with is an MCU.
    bool is_stuck = false;

    uint32_t bit() const { return static_cast<uint32_t>(at >> JpegSkipTable::kStepBits); }
  };
  // What ways need in registers.
  template <size_t kCount>
  struct Turns {
    std::array<uint64_t, kCount> at;
    std::array<const Due*, kCount> due;
    std::array<uint32_t*, kCount> end;
  };
  // MCUs that were found one after the other.
  struct Found {
    const uint32_t* begins = nullptr;  // Of its blocks, and of what comes after the last one.
    uint32_t mcus = 0;
  };

  void Fill();
  bool Find();
  void Begin(size_t way, uint32_t bit, bool is_certain);
  template <size_t kCount>
  void RunUntil(Way* ways, const uint32_t* limits);
  template <size_t kCount>
  size_t LookUp(Turns<kCount>* turns, uint64_t rounds) const;
  template <size_t kCount>
  uint64_t SafeRounds(const Way* ways, const uint32_t* limits) const;
  bool Finish(Way& way);
  void Restart(Way& way);
  bool Join(size_t way, const uint32_t** from);
  uint32_t ReadMcus(const uint32_t* begins, uint32_t column, uint32_t count,
                    const Targets& targets);
  uint32_t ReadComponent(size_t c, const uint32_t* begins, uint32_t column, uint32_t count,
                         const Target& target);
  void HandOver();

  const JpegFrame* frame_ = nullptr;
  JpegEntropyDecoder* decoder_ = nullptr;
  uint32_t mcu_blocks_ = 0;
  std::array<Due, 2 * kMaxJpegMcuBlocks> due_;
  size_t next_ = 0;  // In the scan.
  bool is_data_end_ = false;
  bool is_handed_over_ = false;
  size_t data_bytes_ = 0;  // Without byte stuffing.
  uint32_t bit_ = 0;       // In the data: of the next MCU.
  Buffer bytes_;
  Buffer begins_;
  std::array<Way, kWays> ways_;
  std::array<Found, kWays> found_;
  size_t found_count_ = 0, found_next_ = 0;
  std::array<int32_t, 3> predictors_ = {};
};

}  // namespace pixpress
