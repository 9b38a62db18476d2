#include "codecs/jpeg/row_reader.h"

#include <algorithm>
#include <utility>

namespace pixpress {
namespace {

constexpr size_t kMostRows = 16;

// Of a batch, of at least one row.
size_t BatchTokens(size_t row_tokens) { return std::max<size_t>(1 << 20, row_tokens); }

}  // namespace

uint64_t JpegRowReader::MemoryBytes(size_t row_tokens) {
  return 2 * BufferPool::CapacityFor(BatchTokens(row_tokens) * sizeof(JpegToken));
}

Result<size_t> JpegRowReader::Begin(uint32_t /*end_row*/) {
  set_ = 1 - set_;
  if (source_.position().mcus == mcu_count_) return 0;
  if (tokens_[set_].empty()) {
    const size_t bytes = BatchTokens(row_tokens_) * sizeof(JpegToken);
    PIXPRESS_ASSIGN_OR_RETURN(tokens_[set_], context_.meter.Allocate(bytes));
  }
  return 1;
}

Status JpegRowReader::Run(size_t /*task*/) {
  JpegTokenWriter out(tokens_[set_].as<JpegToken>());
  const JpegToken* const last = out.next() + BatchTokens(row_tokens_) - row_tokens_;
  while (out.next() <= last && pieces_.size() < kMostRows && is_good_ &&
         source_.position().mcus < mcu_count_) {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    PIXPRESS_RETURN_IF_ERROR(ReadRow(&out));
  }
  return Status();
}

Status JpegRowReader::ReadRow(JpegTokenWriter* out) {
  const JpegPosition before = source_.position();
  JpegPiece piece;
  piece.begin = out->next();
  PIXPRESS_ASSIGN_OR_RETURN(is_good_, source_.Draft(drafter_, out));
  const uint64_t count = source_.position().mcus - before.mcus;
  piece.row = static_cast<uint32_t>(before.mcus / count);
  piece.ends_row = true;
  piece.end = out->next();
  piece.dc_before = before.dc;
  pieces_.push_back(piece);
  return Status();
}

Result<bool> JpegRowReader::Finish(std::vector<JpegPiece>* pieces) {
  *pieces = std::exchange(pieces_, {});
  return is_good_;
}

}  // namespace pixpress
