#include "codecs/jpeg/interval_part.h"

#include <algorithm>

#include "codecs/jpeg/scan_part.h"
#include "codecs/jpeg/token_maker.h"

namespace pixpress {
namespace {

constexpr size_t kMostMcuTokens = kMaxJpegMcuBlocks * kMaxBlockDraft + kTokenSlack;
constexpr size_t kMcusBetweenPolls = 1024;

size_t MarkBytes(size_t units) {
  return (units * JpegScanPart::kMostMcus + 1) * sizeof(JpegMcuMark);
}
size_t TokenBytes(size_t units) {
  return (units * JpegScanPart::kMostTokens + kMostMcuTokens) * sizeof(JpegToken);
}

}  // namespace

uint64_t JpegIntervalPart::MemoryBytes(size_t units) {
  return JpegEntropyDecoder::MemoryBytes() +
         BufferPool::CapacityFor(MarkBytes(units) + TokenBytes(units));
}

Status JpegIntervalPart::Start(const JpegFrame& frame, const JpegEntropyDecoder& tables,
                               size_t units, Meter& meter) {
  frame_ = &frame;
  most_tokens_ = units * JpegScanPart::kMostTokens;
  most_mcus_ = units * JpegScanPart::kMostMcus;
  PIXPRESS_RETURN_IF_ERROR(decoder_.StartLike(tables, meter));
  PIXPRESS_ASSIGN_OR_RETURN(memory_, meter.Allocate(MarkBytes(units) + TokenBytes(units)));
  marks_ = memory_.as<JpegMcuMark>();
  tokens_ = reinterpret_cast<JpegToken*>(memory_.data() + MarkBytes(units));
  return Status();
}

Status JpegIntervalPart::Decode(size_t end, const JpegDrafter& drafter, const StopToken& stop) {
  JpegTokenWriter out(tokens_);
  is_complete_ = is_wrong_ = false;
  first_end_ = most_mcus_ + 1;
  for (mcu_count_ = 0;; ++mcu_count_) {
    JpegMcuMark& mark = marks_[mcu_count_];
    mark.token = static_cast<uint32_t>(out.next() - tokens_);
    std::ranges::transform(decoder_.predictors(), mark.dc.begin(),
                           [](int32_t dc) { return static_cast<int16_t>(dc); });
    if (decoder_.is_at_end()) first_end_ = std::min(first_end_, mcu_count_);
    is_complete_ = decoder_.is_at_restart(end);
    if (is_complete_ || mcu_count_ == most_mcus_ || mark.token > most_tokens_) return Status();
    if (mcu_count_ % kMcusBetweenPolls == 0) PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    is_wrong_ = !ReadJpegMcus(*frame_, decoder_, 1, drafter, &out);
    if (is_wrong_) return Status();
  }
}

}  // namespace pixpress
