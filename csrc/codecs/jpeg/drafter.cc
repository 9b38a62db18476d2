#include "codecs/jpeg/drafter.h"

namespace pixpress {

bool JpegDrafter::ReadDraft(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                            JpegTokenWriter& out) const {
  JpegTrellis::Draft draft(*trellis_, component, out.next());
  const bool ok = ReadJpegAc(in, table, [&](uint32_t k, JpegValue value) { draft.Add(k, value); });
  out = JpegTokenWriter(draft.End());
  return ok;
}

bool JpegDrafter::PutAc(const int16_t* block, size_t component, JpegTokenWriter& out) const {
  if (trellis_ == nullptr) return PutRoundedJpegAc(block, scales_[component], out);
  JpegTrellis::Draft draft(*trellis_, component, out.next());
  const bool ok = VisitJpegAc(block, [&](uint32_t k, JpegValue value) { draft.Add(k, value); });
  out = JpegTokenWriter(draft.End());
  return ok;
}

}  // namespace pixpress
