#include "codecs/jpeg/requantize_rows.h"

#include <algorithm>
#include <optional>

#include "codecs/jpeg/interval_reader.h"
#include "codecs/jpeg/part_reader.h"
#include "codecs/jpeg/row_reader.h"

namespace pixpress {
namespace {

// That are worked on at a time.
constexpr size_t kMostPieces = 64;

}  // namespace

JpegRowsRequantizer::JpegRowsRequantizer(const JpegFrame& target,
                                         const std::array<JpegStepScale, 3>& scales,
                                         JpegTrellis* trellis, JpegSourceRows& source,
                                         JpegTokenSink& sink, const WorkContext& context)
    : target_(target),
      scales_(scales),
      trellis_(trellis),
      source_(source),
      sink_(sink),
      context_(context) {
  if (!sink.takes_pieces()) return;
  const JpegDrafter drafter(scales, trellis);
  if (source.is_own() && source.frame().restart_interval == 0) {
    reader_ = std::make_unique<JpegPartReader>(source, drafter, context);
  } else if (source.is_own() && JpegIntervalReader::Takes(source.frame())) {
    reader_ = std::make_unique<JpegIntervalReader>(source, drafter, context);
  } else {
    reader_ = std::make_unique<JpegRowReader>(source, target, drafter, context);
  }
}

uint64_t JpegRowsRequantizer::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows,
                                          uint64_t encoded_bytes) {
  if (!JpegTokenSink::TakesPieces(row_blocks, mcu_rows)) return 0;
  return std::max({JpegPartReader::MemoryBytes(encoded_bytes),
                   JpegIntervalReader::MemoryBytes(encoded_bytes),
                   JpegRowReader::MemoryBytes(row_blocks * kMaxBlockDraft + kTokenSlack)});
}

bool JpegRowsRequantizer::WantsToReadAhead() const {
  return reader_ != nullptr && batches_[1 - now_].is_done() && context_.parallel.HasIdle();
}

Result<bool> JpegRowsRequantizer::Run() {
  while (sink_.row() < target_.mcu_rows) {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    if (batches_[now_].is_done()) now_ = 1 - now_;
    const bool reads_ahead = WantsToReadAhead();
    const bool is_wave = reads_ahead || !batches_[now_].is_done();
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_good, is_wave ? RunWave(reads_ahead) : RunRow());
    if (!is_good) return false;
    if (context_.progress == nullptr) continue;
    context_.progress->Report(Stage::kEncode, double{1} * sink_.row() / target_.mcu_rows);
  }
  return true;
}

// The rest of a row, as it is decoded.
Result<bool> JpegRowsRequantizer::RunRow() {
  PIXPRESS_ASSIGN_OR_RETURN(JpegToken* const tokens, sink_.Reserve());
  JpegTokenWriter writer(tokens);
  JpegRequantizer requantizer(target_, scales_, trellis_);
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_good, source_.Requantize(requantizer, &writer));
  if (!is_good) return false;
  PIXPRESS_RETURN_IF_ERROR(sink_.Commit(writer.next(), true));
  return true;
}

// How many pieces there is room for, of rows that are chosen alike.
size_t JpegRowsRequantizer::PlaceWork(const Batch& batch, uint8_t* room) {
  const uint8_t* const room_end = room + sink_.packing_room_bytes();
  const uint32_t end_row = sink_.row() + sink_.rows_of_same_rates();
  size_t count = 0;
  for (; count < kMostPieces && batch.next + count < batch.pieces.size(); ++count) {
    const JpegPiece& piece = batch.pieces[batch.next + count];
    const size_t bytes = JpegEntropyEncoder::PieceBytes(piece.token_count());
    if (piece.row >= end_row || bytes > static_cast<size_t>(room_end - room)) break;
    if (works_.size() == count) works_.emplace_back();
    works_[count].coded.packed = room;
    room += bytes;
  }
  return count;
}

Result<bool> JpegRowsRequantizer::RunWave(bool reads_ahead) {
  Batch& batch = batches_[now_];
  Batch& next = batches_[1 - now_];
  PIXPRESS_ASSIGN_OR_RETURN(uint8_t* const room, sink_.PackingRoom());
  const size_t count = PlaceWork(batch, room);
  size_t reads = 0;
  if (reads_ahead) {
    const uint32_t end_row = sink_.row() + sink_.rows_of_same_rates();
    PIXPRESS_ASSIGN_OR_RETURN(reads, reader_->Begin(end_row));
  }
  PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(reads + count, [&](size_t i) {
    if (i < reads) return reader_->Run(i);
    return RunPiece(batch.pieces[batch.next + i - reads], &works_[i - reads]);
  }));
  for (size_t i = 0; i < count; ++i) {
    if (!works_[i].is_good) return false;
    PIXPRESS_RETURN_IF_ERROR(sink_.Commit(works_[i].coded));
  }
  batch.next += count;
  if (reads == 0) return true;
  next.next = 0;
  return reader_->Finish(&next.pieces);
}

Status JpegRowsRequantizer::RunPiece(const JpegPiece& piece, Work* work) const {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  std::optional<JpegTrellis> trellis;
  if (trellis_ != nullptr) trellis.emplace(*trellis_);
  JpegRequantizer requantizer(target_, scales_, trellis.has_value() ? &*trellis : nullptr);
  JpegToken* end = nullptr;
  work->is_good = requantizer.RequantizePiece(piece, &end);
  if (!work->is_good) return Status();
  work->coded.tokens = {piece.begin, end};
  work->coded.ends_row = piece.ends_row;
  sink_.Code(piece.row, &work->coded);
  return Status();
}

}  // namespace pixpress
