#pragma once
// The part of requantization that can be done before it is known what came before and what symbols
// take.

#include <array>
#include <cstddef>
#include <cstdint>

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
  // The same with AC coefficients that are read chosen at once, by what `chooser`, a copy of the
  // trellis, knows; null is none.
  JpegDrafter With(JpegTrellis* chooser) const {
    JpegDrafter drafter(*this);
    drafter.chooser_ = chooser;
    return drafter;
  }
  const JpegTrellis* trellis() const { return trellis_; }
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
  bool ReadDraft(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                 JpegTokenWriter& out) const;

  const std::array<JpegStepScale, 3>& scales_;
  const JpegTrellis* const trellis_;
  JpegTrellis* chooser_ = nullptr;
};

// In line, for the sake of the callers' registers.
inline bool JpegDrafter::ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                                JpegTokenWriter& out) const {
  if (chooser_ != nullptr) return ReadChosenJpegAc(in, table, component, *chooser_, out);
  if (trellis_ != nullptr) return ReadDraft(in, table, component, out);
  return ReadRoundedJpegAc(in, table, scales_[component], out);
}

}  // namespace pixpress
