#include "codecs/jpeg_drafter.h"

#include <cstdlib>

namespace pixpress {

bool JpegDrafter::ReadMcus(JpegEntropyDecoder& decoder, uint32_t count, JpegToken** next) const {
  for (uint32_t mcu = 0; mcu < count; ++mcu) {
    if (!decoder.BeginMcu()) return false;
    JpegBitReader in = decoder.reader();
    JpegToken* to = *next;
    for (size_t c = 0; c < frame_.component_count; ++c) {
      for (int i = 0; i < frame_.components[c].h * frame_.components[c].v; ++i) {
        if (!ReadJpegDc(in, decoder.dc_table(c), &decoder.predictor(c))) return false;
        *to++ = MakeJpegDcToken(decoder.predictor(c));
        if (!ReadAc(in, decoder.ac_table(c), c, &to)) return false;
      }
    }
    decoder.reader() = in;
    *next = to;
    if (!decoder.EndMcu()) return false;
  }
  return true;
}

bool JpegDrafter::PutBlock(const int16_t* block, size_t component, JpegToken** next) const {
  if (std::abs(block[0]) > JpegEntropyDecoder::kMaxDc) return false;
  *(*next)++ = MakeJpegDcToken(block[0]);
  if (trellis_ == nullptr) {
    JpegTokenWriter writer(*next);
    const bool ok = PutRoundedJpegAc(block, scales_[component], writer);
    *next = writer.next();
    return ok;
  }
  JpegTrellis::Draft draft(*trellis_, component, *next);
  const bool ok = VisitJpegAc(block, [&](uint32_t k, JpegValue value) { draft.Add(k, value); });
  *next = draft.End();
  return ok;
}

bool JpegDrafter::PutBlocks(const JpegBlockRows& blocks, JpegToken** next) const {
  return VisitJpegBlocks(frame_, blocks, [&](const int16_t* block, size_t component) {
    return PutBlock(block, component, next);
  });
}

}  // namespace pixpress
