#pragma once
// The part of requantization that can be done before it is known what came before and what symbols
// take.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/requantize.h"
#include "codecs/jpeg/trellis.h"

namespace pixpress {

// Turns blocks into drafts, which JpegRequantizer::RequantizePiece makes tokens of: a DC token in
// steps of the source, and either tokens of AC coefficients of the output or JpegTrellis::Draft.
// Thread-safe without a chooser.
class JpegDrafter {
 public:
  // Rounds if `trellis` is null, else asks it for nothing but what values weigh. All outlive this.
  JpegDrafter(const std::array<JpegStepScale, 3>& scales, const JpegTrellis* trellis)
      : scales_(scales), trellis_(trellis) {}
  static size_t MaxRowTokens(const JpegFrame& frame) {
    return size_t{frame.mcu_columns} * frame.mcu_blocks() * kMaxBlockDraft + kTokenSlack;
  }

  // As JpegTokenMaker says. DC is put as it is.
  bool PutDc(size_t /*component*/, int32_t dc, JpegTokenWriter& out) const {
    out.PutDc(dc);
    return true;
  }
  bool ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
              JpegTokenWriter& out) const;
  bool PutAc(const int16_t* block, size_t component, JpegTokenWriter& out) const;

 private:
  friend class JpegPartDrafter;
  bool ReadDraft(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                 JpegTokenWriter& out) const;

  const std::array<JpegStepScale, 3>& scales_;
  const JpegTrellis* const trellis_;
  JpegTrellis* chooser_ = nullptr;
};

// The drafter of one part: if it `is_chosen`, AC coefficients that are read are chosen at once, by
// what the trellis knows now. Used by one thread.
class JpegPartDrafter {
 public:
  JpegPartDrafter(const JpegDrafter& drafter, bool is_chosen) : drafter_(drafter) {
    if (!is_chosen || drafter.trellis_ == nullptr) return;
    drafter_.chooser_ = &chooser_.emplace(*drafter.trellis_);
  }
  JpegPartDrafter(const JpegPartDrafter&) = delete;
  JpegPartDrafter& operator=(const JpegPartDrafter&) = delete;
  const JpegDrafter& get() const { return drafter_; }

 private:
  JpegDrafter drafter_;
  std::optional<JpegTrellis> chooser_;
};

// In line, for the sake of the callers' registers.
inline bool JpegDrafter::ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                                JpegTokenWriter& out) const {
  if (chooser_ != nullptr) return ReadChosenJpegAc(in, table, component, *chooser_, out);
  if (trellis_ != nullptr) return ReadDraft(in, table, component, out);
  return ReadRoundedJpegAc(in, table, scales_[component], out);
}

}  // namespace pixpress
