#pragma once
// Coefficients of one quantization to coefficients of another, as tokens, without pixels.

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/nonzero.h"
#include "codecs/jpeg/piece.h"
#include "codecs/jpeg/tokens.h"
#include "codecs/jpeg/trellis.h"
#include "kernels/requantize_block.h"

namespace pixpress {

// What 10 bits hold.
inline constexpr uint32_t kMaxJpegAc = 1023;

// The table of libjpeg for a quality, in zigzag order.
JpegQuantTable StandardJpegQuant(int quality, bool is_chroma);

// A table for a quality that gives fewer bytes at the same looks: coarser at high frequencies of
// luma, finer in chroma.
JpegQuantTable PerceptualJpegQuant(int quality, bool is_chroma);

// What to quantize an image with that was quantized with `source` before, for `wanted` or about as
// good: never finer than the source, and in its steps where that costs little.
JpegQuantTable ChooseJpegQuant(const JpegQuantTable& source, const JpegQuantTable& wanted);

// From a magnitude in steps of the source to one in steps of the target:
// (magnitude * multiplier + kRequantizeRounding) >> 16.
struct JpegStepScale {
  std::array<uint32_t, 80> multiplier = {};  // In zigzag order; 0 beyond the block.
  BlockMultipliers block_multipliers = {};   // The same of AC for whole blocks.
  bool is_identity = true;

  uint32_t Apply(uint32_t magnitude, uint32_t k) const {
    return (magnitude * multiplier[k] + kRequantizeRounding) >> 16;
  }
};
JpegStepScale MakeJpegStepScale(const JpegQuantTable& source, const JpegQuantTable& target);
// Visits the AC coefficients of a block in memory that are not 0 as visit(k, value), k being the
// position in zigzag order. False at the first one that cannot be coded.
template <typename Visit>
bool VisitJpegAc(const int16_t* block, const Visit& visit) {
  for (uint64_t left = JpegNonZero(block) & ~uint64_t{1}; left != 0; left &= left - 1) {
    const auto k = static_cast<uint32_t>(std::countr_zero(left));
    const int32_t own = block[kJpegNaturalOrder[k]];
    const auto magnitude = static_cast<uint32_t>(std::abs(own));
    if (magnitude > kMaxJpegAc) return false;
    visit(k, JpegValue{magnitude, own < 0 ? ~0u : 0});
  }
  return true;
}
// Puts rounded AC coefficients and the end of their block: those that come next, or of a block in
// memory. False if the data is not in order, or one cannot be coded.
inline bool ReadRoundedJpegAc(JpegBitReader& in, const JpegDecodeTable& table,
                              const JpegStepScale& scale, JpegTokenWriter& out) {
  JpegTokenWriter writer = out;
  uint32_t last = 0;
  const bool ok = ReadJpegAc(in, table, [&](uint32_t k, JpegValue value) {
    value.magnitude = scale.Apply(value.magnitude, k);
    writer.PutAc(k, value, &last);
  });
  writer.PutEnd(last == 63);
  out = writer;
  return ok;
}
bool PutRoundedJpegAc(const int16_t* block, const JpegStepScale& scale, JpegTokenWriter& out);
// The same of those that come next, chosen by `trellis`.
bool ReadChosenJpegAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                      JpegTrellis& trellis, JpegTokenWriter& out);

// Requantizes the blocks of an image in the order of the scan. Used by one thread.
class JpegRequantizer {
 public:
  // Rounds, unless there is a `trellis` to choose what is best.
  JpegRequantizer(const JpegFrame& frame, const std::array<JpegStepScale, 3>& scales,
                  JpegTrellis* trellis)
      : frame_(frame), scales_(scales), trellis_(trellis) {}

  // Go on after MCUs whose last blocks have this DC, in steps of the source.
  void StartAfter(const std::array<int32_t, 3>& source_dc);
  // The most tokens that a row of MCUs can become, with the room that writing them takes.
  static size_t MaxRowTokens(const JpegFrame& frame);

  // As JpegTokenMaker says. DC is put as the difference to the component's last one.
  bool PutDc(size_t component, int32_t dc, JpegTokenWriter& out);
  bool ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
              JpegTokenWriter& out);
  bool PutAc(const int16_t* block, size_t component, JpegTokenWriter& out);
  // The drafts of a piece in its place, up to `end`, with a trellis if they were made with one.
  // False if they hold values that cannot be coded.
  bool RequantizePiece(const JpegPiece& piece, JpegToken** end);

 private:
  static const JpegToken* SkipAc(const JpegToken* next, const JpegToken* end);
  int32_t DcError(size_t component, int32_t dc, int32_t level) const;
  int32_t QuantizedDc(size_t component, int32_t dc) const {
    const auto magnitude = static_cast<int32_t>(scales_[component].Apply(std::abs(dc), 0));
    return dc < 0 ? -magnitude : magnitude;
  }

  const JpegFrame& frame_;
  const std::array<JpegStepScale, 3>& scales_;
  JpegTrellis* const trellis_;  // Null: none.
  std::array<int32_t, 3> last_dc_ = {};
};

// In line, for the sake of the callers' registers.
inline bool JpegRequantizer::PutDc(size_t component, int32_t dc, JpegTokenWriter& out) {
  constexpr int32_t kMaxDifference = 2047;  // What 11 bits hold.
  const int32_t now = QuantizedDc(component, dc);
  const int32_t difference = now - last_dc_[component];
  last_dc_[component] = now;
  if (trellis_ != nullptr && trellis_->keeps_dc_errors()) {
    out.PutDc(difference, DcError(component, dc, now));
  } else {
    out.PutDc(difference);
  }
  return std::abs(difference) <= kMaxDifference;
}

inline bool JpegRequantizer::ReadAc(JpegBitReader& in, const JpegDecodeTable& table,
                                    size_t component, JpegTokenWriter& out) {
  if (trellis_ != nullptr) return ReadChosenJpegAc(in, table, component, *trellis_, out);
  return ReadRoundedJpegAc(in, table, scales_[component], out);
}

}  // namespace pixpress
