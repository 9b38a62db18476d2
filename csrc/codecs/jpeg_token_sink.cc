#include "codecs/jpeg_token_sink.h"

#include <algorithm>
#include <bit>

#include "base/checked_math.h"
#include "codecs/jpeg_encode.h"
#include "codecs/jpeg_requantize.h"

namespace pixpress {
namespace {

// The tables of an image with more tokens than this are made for its first part.
constexpr uint64_t kMostTokenBytes = 32 << 20;
constexpr uint32_t kManyRows = 128;

uint64_t MostTokenBytes(const EncodeOptions& options) {
  return options.effort >= kOptimalJpegTablesEffort ? kMostTokenBytes : 0;
}

}  // namespace

JpegTokenSink::JpegTokenSink(const JpegFrame& frame, const EncodeOptions& options,
                             const Metadata& metadata, const WorkContext& context,
                             JpegTrellis* trellis, ByteChain* out)
    : frame_(frame),
      most_bytes_(MostTokenBytes(options)),
      metadata_(metadata),
      context_(context),
      trellis_(trellis),
      out_(out),
      store_(JpegRequantizer::MaxRowTokens(frame), context.meter) {
  if (WantsProgressiveJpeg(options)) progressive_.emplace(frame, metadata, context, out);
}

uint64_t JpegTokenSink::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows,
                                    const EncodeOptions& options) {
  const size_t row_tokens = row_blocks * kMaxBlockTokens + kTokenSlack;
  if (WantsProgressiveJpeg(options)) {
    return SaturatingAdd(JpegTokenStore::MemoryBytes(row_tokens, 0),
                         JpegProgressiveWriter::MemoryBytes(row_blocks, mcu_rows));
  }
  // Chunks of the whole image, if that is less than what is gathered at most.
  const uint64_t image_bytes = SaturatingMul(mcu_rows + 1, row_tokens * sizeof(JpegToken));
  const uint64_t most = std::min(MostTokenBytes(options), 2 * image_bytes);
  return JpegTokenStore::MemoryBytes(row_tokens, most) + JpegEntropyEncoder::MemoryBytes();
}

Status JpegTokenSink::Start() {
  return progressive_.has_value() ? progressive_->Start() : Status();
}

// Some rows tell as much as all where there are many.
uint32_t JpegTokenSink::counted_rows() const { return frame_.mcu_rows >= kManyRows ? 4 : 1; }

void JpegTokenSink::Count(std::span<const JpegToken> tokens) {
  CountJpegTokens(frame_, tokens, &counts_);
  ++counted_;
  if (trellis_ == nullptr || !std::has_single_bit(counted_)) return;
  trellis_->SetRates(MakeOptimalJpegHuffmanSpecs(counts_, true));
}

Status JpegTokenSink::Commit(const JpegToken* begin, const JpegToken* end) {
  store_.Commit(end);
  const bool is_counted = makes_tables() && !is_started_ && row_ % counted_rows() == 0;
  if (is_counted && (trellis_ != nullptr || !progressive_.has_value())) Count({begin, end});
  const uint32_t row = row_++;
  if (progressive_.has_value()) {
    PIXPRESS_RETURN_IF_ERROR(progressive_->PutRow(row, {begin, end}));
    store_.Clear();
    return Status();
  }
  return store_.is_full(most_bytes_) ? Drain(true) : Status();
}

Status JpegTokenSink::Finish() {
  if (progressive_.has_value()) return progressive_->Finish();
  PIXPRESS_RETURN_IF_ERROR(Drain(false));
  PIXPRESS_RETURN_IF_ERROR(encoder_.Finish());
  return WriteJpegEnd(out_);
}

Status JpegTokenSink::StartFile(const JpegHuffmanSpecs& specs) {
  is_started_ = true;
  PIXPRESS_RETURN_IF_ERROR(WriteJpegHead(frame_, specs, metadata_, out_));
  return encoder_.Start(frame_, specs, context_.meter, out_);
}

Status JpegTokenSink::Drain(bool has_more) {
  if (!is_started_) {
    const bool has_unseen = has_more || counted_rows() > 1;
    PIXPRESS_RETURN_IF_ERROR(StartFile(makes_tables()
                                           ? MakeOptimalJpegHuffmanSpecs(counts_, has_unseen)
                                           : StandardJpegHuffmanSpecs()));
  }
  return store_.Drain([&](std::span<const JpegToken> tokens) {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    return encoder_.Encode(tokens);
  });
}

}  // namespace pixpress
