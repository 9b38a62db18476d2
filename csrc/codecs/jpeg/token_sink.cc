#include "codecs/jpeg/token_sink.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/jpeg/encode.h"
#include "codecs/jpeg/requantize.h"

namespace pixpress {
namespace {

// The tables of an image with more tokens than this are made for its first part.
constexpr uint64_t kMostTokenBytes = 32 << 20;
constexpr uint32_t kManyRows = 128;

uint64_t MostTokenBytes(const EncodeOptions& options) {
  return options.effort >= kOptimalJpegTablesEffort ? kMostTokenBytes : 0;
}

// Of the packed bits of that many tokens, or of a row.
constexpr uint64_t kPackedTokens = 1 << 20;
constexpr size_t kMostPackedRows = 64;

size_t RoomBytes(uint64_t row_blocks) {
  return JpegEntropyEncoder::PieceBytes(std::max(kPackedTokens, row_blocks * kMaxBlockDraft));
}

// How many rows fit into the room at a time.
size_t RowsOfRoom(std::span<const std::span<const JpegToken>> rows, size_t room_bytes) {
  size_t count = 0;
  for (; count < std::min(rows.size(), kMostPackedRows); ++count) {
    const size_t bytes = JpegEntropyEncoder::PieceBytes(rows[count].size());
    if (bytes > room_bytes) break;
    room_bytes -= bytes;
  }
  return count;
}

void AddCounts(const JpegImageCounts& from, JpegImageCounts* to) {
  const auto add = [](const JpegSymbolCounts& more, JpegSymbolCounts& sum) {
    std::ranges::transform(sum, more, sum.begin(), std::plus<>());
  };
  for (size_t t = 0; t < from.size(); ++t) {
    add(from[t].dc, (*to)[t].dc);
    add(from[t].ac, (*to)[t].ac);
  }
}

}  // namespace

JpegTokenSink::JpegTokenSink(const JpegFrame& frame, const EncodeOptions& options,
                             const Metadata& metadata, const WorkContext& context,
                             JpegTrellis* trellis, ByteChain* out)
    : frame_(frame),
      takes_pieces_(TakesPieces(uint64_t{frame.mcu_columns} * frame.mcu_blocks(), frame.mcu_rows)),
      most_bytes_(MostTokenBytes(options)),
      metadata_(metadata),
      context_(context),
      trellis_(trellis),
      out_(out),
      store_(JpegRequantizer::MaxRowTokens(frame), context.meter) {
  if (WantsProgressiveJpeg(options)) {
    const bool chooses_dc =
        trellis != nullptr && trellis->chooses() && options.effort >= kJpegDcTrellisEffort;
    if (chooses_dc) trellis->KeepDcErrors();
    progressive_.emplace(frame, options, metadata, context, chooses_dc, takes_pieces_, out);
  }
}

uint64_t JpegTokenSink::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows,
                                    const EncodeOptions& options) {
  const size_t row_tokens = row_blocks * kMaxBlockTokens + kTokenSlack;
  const uint64_t room =
      TakesPieces(row_blocks, mcu_rows) ? BufferPool::CapacityFor(RoomBytes(row_blocks)) : 0;
  if (WantsProgressiveJpeg(options)) {
    return SaturatingAdd(JpegTokenStore::MemoryBytes(row_tokens, 0) + room,
                         JpegProgressiveWriter::MemoryBytes(row_blocks, mcu_rows,
                                                            TakesPieces(row_blocks, mcu_rows)));
  }
  // Chunks of the whole image, if that is less than what is gathered at most.
  const uint64_t image_bytes = SaturatingMul(mcu_rows + 1, row_tokens * sizeof(JpegToken));
  const uint64_t most = std::min(MostTokenBytes(options), 2 * image_bytes);
  return JpegTokenStore::MemoryBytes(row_tokens, most) + room + JpegEntropyEncoder::MemoryBytes();
}

// Fewer are done before another thread has come to help.
bool JpegTokenSink::TakesPieces(uint64_t row_blocks, uint64_t mcu_rows) {
  return SaturatingMul(row_blocks, mcu_rows) >= kFewestSplitJpegBlocks;
}

Status JpegTokenSink::Start() {
  return progressive_.has_value() ? progressive_->Start() : Status();
}

// Some rows tell as much as all where there are many.
uint32_t JpegTokenSink::counted_rows() const { return frame_.mcu_rows >= kManyRows ? 4 : 1; }

bool JpegTokenSink::IsCounted(uint32_t row) const {
  const bool is_of_use = trellis_ != nullptr || !progressive_.has_value();
  return makes_tables() && !is_started_ && row % counted_rows() == 0 && is_of_use;
}

void JpegTokenSink::EndCountedRow() {
  ++counted_;
  if (trellis_ == nullptr || !std::has_single_bit(counted_)) return;
  trellis_->LearnRates(counts_);
}

uint32_t JpegTokenSink::rows_of_same_rates() const {
  if (trellis_ == nullptr || is_started_) return frame_.mcu_rows - row_;
  const uint32_t last_counted = std::bit_ceil(counted_ + 1) - 1;
  return last_counted * counted_rows() - row_ + 1;
}

Result<JpegToken*> JpegTokenSink::Reserve() {
  if (row_begin_ == nullptr) {
    PIXPRESS_ASSIGN_OR_RETURN(row_begin_, store_.Reserve());
    row_end_ = row_begin_;
  }
  return row_end_;
}

Status JpegTokenSink::Commit(JpegToken* end, bool ends_row) {
  if (IsCounted(row_)) CountJpegTokens(frame_, {row_end_, end}, &counts_);
  return Keep(end, ends_row);
}

// As soon as the file has begun, tokens need not be kept.
Status JpegTokenSink::Keep(JpegToken* end, bool ends_row) {
  if (is_started_) {
    PIXPRESS_RETURN_IF_ERROR(encoder_.Encode({row_begin_, end}));
    row_end_ = row_begin_;
  } else {
    row_end_ = end;
  }
  return ends_row ? EndRow() : Status();
}

Status JpegTokenSink::EndRow() {
  row_begin_ = nullptr;
  if (IsCounted(row_)) EndCountedRow();
  ++row_;
  if (is_started_) return Status();
  store_.Commit(row_end_);
  if (progressive_.has_value()) {
    const bool gathers = takes_pieces_ && !store_.is_full(0) && context_.parallel.HasIdle();
    return gathers ? Status() : PutGatheredRows();
  }
  return store_.is_full(most_bytes_) ? Drain(true) : Status();
}

Result<uint8_t*> JpegTokenSink::PackingRoom() {
  if (packing_room_.empty()) {
    const size_t bytes = RoomBytes(uint64_t{frame_.mcu_columns} * frame_.mcu_blocks());
    PIXPRESS_ASSIGN_OR_RETURN(packing_room_, context_.meter.Allocate(bytes));
  }
  return packing_room_.data();
}

void JpegTokenSink::Code(uint32_t row, JpegCodedPiece* piece) const {
  piece->packed_bits = 0;
  if (is_started_ && piece->packed != nullptr) {
    piece->packed_bits = encoder_.EncodePiece(piece->tokens, piece->packed);
  } else if (IsCounted(row)) {
    piece->counts = {};
    CountJpegTokens(frame_, piece->tokens, &piece->counts);
  }
}

Status JpegTokenSink::Commit(const JpegCodedPiece& piece) {
  if (piece.packed_bits > 0) {
    row_ += piece.ends_row ? 1 : 0;
    if (piece.ends_row) row_begin_ = nullptr;
    return encoder_.AppendPiece(piece.packed, piece.packed_bits);
  }
  if (IsCounted(row_)) AddCounts(piece.counts, &counts_);
  PIXPRESS_ASSIGN_OR_RETURN(JpegToken* const to, Reserve());
  return Keep(std::ranges::copy(piece.tokens, to).out, piece.ends_row);
}

Status JpegTokenSink::PutGatheredRows() {
  PIXPRESS_RETURN_IF_ERROR(progressive_->PutRows(store_.rows()));
  store_.Clear();
  return Status();
}

Status JpegTokenSink::Finish() {
  if (progressive_.has_value()) {
    PIXPRESS_RETURN_IF_ERROR(PutGatheredRows());
    return progressive_->Finish();
  }
  if (!is_started_) PIXPRESS_RETURN_IF_ERROR(Drain(false));
  PIXPRESS_RETURN_IF_ERROR(encoder_.Finish());
  return WriteJpegEnd(out_);
}

Status JpegTokenSink::StartFile(const JpegHuffmanSpecs& specs) {
  is_started_ = true;
  PIXPRESS_RETURN_IF_ERROR(WriteJpegHead(frame_, specs, metadata_, out_));
  return encoder_.Start(frame_, specs, context_.meter, out_);
}

// Begin the file with what was gathered.
Status JpegTokenSink::Drain(bool has_more) {
  const bool has_unseen = has_more || counted_rows() > 1;
  PIXPRESS_RETURN_IF_ERROR(StartFile(makes_tables()
                                         ? MakeOptimalJpegHuffmanSpecs(counts_, has_unseen)
                                         : StandardJpegHuffmanSpecs()));
  const std::vector<std::span<const JpegToken>> rows = store_.rows();
  for (size_t next = 0; next < rows.size();) {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    size_t count = 1;
    if (takes_pieces_ && context_.parallel.HasIdle()) {
      PIXPRESS_RETURN_IF_ERROR(PackingRoom().status());
      count = RowsOfRoom(std::span(rows).subspan(next), packing_room_.size());
    }
    PIXPRESS_RETURN_IF_ERROR(EncodeRows(std::span(rows).subspan(next, count)));
    next += count;
  }
  store_.Clear();
  return Status();
}

Status JpegTokenSink::EncodeRows(std::span<const std::span<const JpegToken>> rows) {
  if (rows.size() == 1) return encoder_.Encode(rows[0]);
  PIXPRESS_ASSIGN_OR_RETURN(uint8_t * room, PackingRoom());
  std::array<uint8_t*, kMostPackedRows> packed = {};
  std::array<uint64_t, kMostPackedRows> bits = {};
  for (size_t i = 0; i < rows.size(); ++i) {
    packed[i] = std::exchange(room, room + JpegEntropyEncoder::PieceBytes(rows[i].size()));
  }
  PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(rows.size(), [&](size_t i) {
    bits[i] = encoder_.EncodePiece(rows[i], packed[i]);
    return Status();
  }));
  for (size_t i = 0; i < rows.size(); ++i) {
    PIXPRESS_RETURN_IF_ERROR(encoder_.AppendPiece(packed[i], bits[i]));
  }
  return Status();
}

}  // namespace pixpress
