#pragma once
// Coefficients of one quantization to coefficients of another, as tokens, without pixels.

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "codecs/jpeg_entropy_decoder.h"
#include "codecs/jpeg_frame.h"
#include "codecs/jpeg_nonzero.h"
#include "codecs/jpeg_piece.h"
#include "codecs/jpeg_tokens.h"
#include "codecs/jpeg_trellis.h"
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
// Puts the rounded AC coefficients of a block in memory, and its end. False if one cannot be coded.
bool PutRoundedJpegAc(const int16_t* block, const JpegStepScale& scale, JpegTokenWriter& out);

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

  // The next MCUs, as they are decoded. False if the data is not in order, or holds values that
  // cannot be coded.
  bool RequantizeMcus(JpegEntropyDecoder& decoder, uint32_t count, JpegTokenWriter* out);
  // The same of a row of decoded blocks.
  bool RequantizeBlocks(const JpegBlockRows& blocks, JpegTokenWriter* out);
  // The same of the drafts of a piece, with a trellis if they were made with one. `out` may begin
  // where the piece does.
  bool RequantizePiece(const JpegPiece& piece, JpegTokenWriter* out);

 private:
  bool RequantizeNext(JpegBitReader& in, JpegEntropyDecoder& decoder, size_t component,
                      JpegTokenWriter& out);
  bool PutDc(size_t component, int32_t dc, JpegTokenWriter& out);
  bool RequantizeBlock(const int16_t* block, size_t component, JpegTokenWriter& out);
  static const JpegToken* CopyAc(const JpegToken* next, JpegTokenWriter& out);
  int32_t QuantizedDc(size_t component, int32_t dc) const;

  const JpegFrame& frame_;
  const std::array<JpegStepScale, 3>& scales_;
  JpegTrellis* const trellis_;  // Null: none.
  std::array<int32_t, 3> last_dc_ = {};
};

}  // namespace pixpress
