#pragma once
// The part of requantization that can be done before it is known what came before and what symbols
// take.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codecs/jpeg_entropy_decoder.h"
#include "codecs/jpeg_frame.h"
#include "codecs/jpeg_requantize.h"
#include "codecs/jpeg_trellis.h"

namespace pixpress {

// Turns blocks into drafts, which JpegRequantizer::RequantizePiece makes tokens of: a DC token in
// steps of the source, and either the tokens of rounded AC coefficients or JpegTrellis::Draft.
// Thread-safe.
class JpegDrafter {
 public:
  // Rounds if `trellis` is null, else asks it for nothing but what values weigh. All outlive this.
  JpegDrafter(const JpegFrame& frame, const std::array<JpegStepScale, 3>& scales,
              const JpegTrellis* trellis)
      : frame_(frame), scales_(scales), trellis_(trellis) {}
  static size_t MaxRowTokens(const JpegFrame& frame) {
    return size_t{frame.mcu_columns} * frame.mcu_blocks() * kMaxBlockDraft + kTokenSlack;
  }

  // The AC coefficients that come next. False if the data is not in order.
  bool ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
              JpegToken** next) const;
  // MCUs with DC itself in the DC tokens. False if the data is not in order, or holds values that
  // cannot be coded.
  bool ReadMcus(JpegEntropyDecoder& decoder, uint32_t count, JpegToken** next) const;
  // The same of a row of blocks.
  bool PutBlocks(const JpegBlockRows& blocks, JpegToken** next) const;

 private:
  bool PutBlock(const int16_t* block, size_t component, JpegToken** next) const;

  const JpegFrame& frame_;
  const std::array<JpegStepScale, 3>& scales_;
  const JpegTrellis* const trellis_;
};

// In line, for the sake of the caller's registers.
inline bool JpegDrafter::ReadAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                                JpegToken** next) const {
  if (trellis_ != nullptr) {
    JpegTrellis::Draft draft(*trellis_, component, *next);
    const bool ok =
        ReadJpegAc(in, table, [&](uint32_t k, JpegValue value) { draft.Add(k, value); });
    *next = draft.End();
    return ok;
  }
  const JpegStepScale& scale = scales_[component];
  JpegTokenWriter writer(*next);
  uint32_t last = 0;
  const bool ok = ReadJpegAc(in, table, [&](uint32_t k, JpegValue value) {
    value.magnitude = scale.Apply(value.magnitude, k);
    writer.PutAc(k, value, &last);
  });
  writer.PutEnd(last == 63);
  *next = writer.next();
  return ok;
}

}  // namespace pixpress
