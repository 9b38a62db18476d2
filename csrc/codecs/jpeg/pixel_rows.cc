#include "codecs/jpeg/pixel_rows.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/checked_math.h"
#include "codecs/jpeg/requantize.h"

namespace pixpress {
namespace {

// Of a batch; those of wide images have fewer rows.
constexpr size_t kMostRows = 8, kMostBlocks = 1 << 15;

// Of a DC coefficient in eighths.
int32_t LevelOf(int32_t eighths, int32_t step) {
  // The difference of two must fit in 11 bits.
  const int32_t magnitude = std::min((std::abs(eighths) + step / 2) / step, 1023);
  return eighths < 0 ? -magnitude : magnitude;
}

// Blocks in eighths to tokens.
class BlockQuantizer {
 public:
  // The first ones come after blocks with these levels of DC.
  BlockQuantizer(const JpegFrame& frame, JpegTrellis& trellis, const std::array<int32_t, 3>& dc)
      : frame_(frame), trellis_(trellis), last_dc_(dc) {}

  void PutRow(const JpegBlockRows& blocks, JpegTokenWriter* out) {
    VisitJpegBlocks(frame_, blocks, [&](const int16_t* block, size_t component) {
      PutBlock(block, component, *out);
      return true;
    });
  }

 private:
  void PutDc(int32_t eighths, size_t component, JpegTokenWriter& out) {
    const int32_t step = 8 * frame_.quant[component][0];
    const int32_t level = LevelOf(eighths, step);
    const int32_t difference = level - std::exchange(last_dc_[component], level);
    if (!trellis_.keeps_dc_errors()) return out.PutDc(difference);
    const int32_t sixteenths = (std::abs(eighths) * 16 + step / 2) / step;
    const int32_t error = sixteenths - std::abs(level) * 16;
    out.PutDc(difference, eighths < 0 ? -error : error);
  }
  void PutBlock(const int16_t* block, size_t component, JpegTokenWriter& out) {
    PutDc(block[0], component, out);
    for (uint32_t k = 1; k < 64; ++k) {
      const int32_t value = block[kJpegNaturalOrder[k]];
      const uint32_t sign = value < 0 ? ~0u : 0;
      trellis_.Add(component, k, {static_cast<uint32_t>(std::abs(value)), sign});
    }
    trellis_.Put(component, out);
  }

  const JpegFrame& frame_;
  JpegTrellis& trellis_;
  std::array<int32_t, 3> last_dc_;
};

bool IsLarge(const JpegFrame& frame) {
  return JpegTokenSink::TakesPieces(uint64_t{frame.mcu_columns} * frame.mcu_blocks(),
                                    frame.mcu_rows);
}

}  // namespace

size_t JpegPixelRows::BatchRows(const JpegFrame& frame) {
  const size_t row_blocks = size_t{frame.mcu_columns} * frame.mcu_blocks();
  return std::clamp<size_t>(kMostBlocks / row_blocks, 2, kMostRows);
}

uint64_t JpegPixelRows::MemoryBytes(const ImageLayout& layout, const JpegFrame& frame) {
  const uint64_t fixed = JpegPixelBlocks::MemoryBytes(frame) + JpegRowQueue::MemoryBytes(layout);
  const uint64_t row = BufferPool::CapacityFor(JpegPixelBlocks::BlockBytes(frame));
  if (!IsLarge(frame)) return fixed + row;
  const size_t tokens = JpegRequantizer::MaxRowTokens(frame);
  const uint64_t work = BufferPool::CapacityFor(tokens * sizeof(JpegToken));
  return fixed + BatchRows(frame) * (2 * row + work);
}

Status JpegPixelRows::Start(const ImageLayout& layout) {
  for (Batch& batch : batches_) batch.rows.resize(IsLarge(frame_) ? BatchRows(frame_) : 1);
  PIXPRESS_RETURN_IF_ERROR(queue_.Start(layout, 8u * frame_.max_v, context_.meter));
  return transform_.Start(layout, frame_, context_.meter);
}

Status JpegPixelRows::ReadRow(RowSource& source, Row* row) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  if (row->memory.empty()) {
    const size_t bytes = JpegPixelBlocks::BlockBytes(frame_);
    PIXPRESS_ASSIGN_OR_RETURN(row->memory, context_.meter.Allocate(bytes));
  }
  PIXPRESS_RETURN_IF_ERROR(queue_.Fill(source));
  row->blocks = transform_.Transform(queue_.arrays(), row->memory.as<int16_t>());
  queue_.Drop();
  row->dc_before = last_dc_;
  for (size_t c = 0; c < frame_.component_count; ++c) {
    const int16_t* const last = row->blocks[c][frame_.components[c].v - 1u];
    const int32_t dc = last[(frame_.block_columns(c) - 1) * size_t{64}];
    last_dc_[c] = LevelOf(dc, 8 * frame_.quant[c][0]);
  }
  ++rows_read_;
  return Status();
}

Status JpegPixelRows::ReadBatch(RowSource& source, Batch* batch) {
  batch->next = batch->count = 0;
  while (batch->count < batch->rows.size() && rows_read_ < frame_.mcu_rows) {
    PIXPRESS_RETURN_IF_ERROR(ReadRow(source, &batch->rows[batch->count]));
    ++batch->count;
  }
  return Status();
}

Status JpegPixelRows::Run(RowSource& source) {
  while (sink_.row() < frame_.mcu_rows) {
    if (batches_[now_].is_done()) now_ = 1 - now_;
    const bool reads_ahead = sink_.takes_pieces() && batches_[1 - now_].is_done() &&
                             rows_read_ < frame_.mcu_rows && context_.parallel.HasIdle();
    const bool is_wave = reads_ahead || !batches_[now_].is_done();
    PIXPRESS_RETURN_IF_ERROR(is_wave ? RunWave(source, reads_ahead) : RunRow(source));
    if (context_.progress == nullptr) continue;
    context_.progress->Report(Stage::kEncode, double{1} * sink_.row() / frame_.mcu_rows);
  }
  return Status();
}

Status JpegPixelRows::RunRow(RowSource& source) {
  Row& row = batches_[now_].rows[0];
  PIXPRESS_RETURN_IF_ERROR(ReadRow(source, &row));
  PIXPRESS_ASSIGN_OR_RETURN(JpegToken* const tokens, sink_.Reserve());
  JpegTokenWriter writer(tokens);
  BlockQuantizer(frame_, trellis_, row.dc_before).PutRow(row.blocks, &writer);
  return sink_.Commit(writer.next(), true);
}

Status JpegPixelRows::PlaceWork(size_t count) {
  PIXPRESS_ASSIGN_OR_RETURN(uint8_t* const room, sink_.PackingRoom());
  if (works_.size() < count) works_.resize(count);
  const size_t bytes = JpegRequantizer::MaxRowTokens(frame_) * sizeof(JpegToken);
  for (size_t i = 0; i < count; ++i) {
    if (works_[i].memory.empty()) {
      PIXPRESS_ASSIGN_OR_RETURN(works_[i].memory, context_.meter.Allocate(bytes));
    }
    works_[i].coded.packed = room + sink_.packing_room_bytes() / count * i;
  }
  return Status();
}

Status JpegPixelRows::RunWave(RowSource& source, bool reads_ahead) {
  Batch& batch = batches_[now_];
  const size_t count = std::min<size_t>(batch.count - batch.next, sink_.rows_of_same_rates());
  PIXPRESS_RETURN_IF_ERROR(PlaceWork(count));
  const size_t reads = reads_ahead ? 1 : 0;
  PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(reads + count, [&](size_t i) {
    if (i < reads) return ReadBatch(source, &batches_[1 - now_]);
    const size_t place = i - reads;
    return QuantizeRow(batch.rows[batch.next + place], sink_.row() + static_cast<uint32_t>(place),
                       sink_.packing_room_bytes() / count, &works_[place]);
  }));
  for (size_t i = 0; i < count; ++i) PIXPRESS_RETURN_IF_ERROR(sink_.Commit(works_[i].coded));
  batch.next += count;
  return Status();
}

Status JpegPixelRows::QuantizeRow(const Row& row, uint32_t number, size_t most_packed_bytes,
                                  Work* work) const {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  JpegTrellis trellis(trellis_);
  auto* const tokens = work->memory.as<JpegToken>();
  JpegTokenWriter writer(tokens);
  BlockQuantizer(frame_, trellis, row.dc_before).PutRow(row.blocks, &writer);
  const auto size = static_cast<size_t>(writer.next() - tokens);
  work->coded.tokens = {tokens, size};
  work->coded.ends_row = true;
  if (JpegEntropyEncoder::PieceBytes(size) > most_packed_bytes) work->coded.packed = nullptr;
  sink_.Code(number, &work->coded);
  return Status();
}

}  // namespace pixpress
