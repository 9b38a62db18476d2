#include "codecs/jpeg/image_tokens.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// AC of a block and its end.
constexpr size_t kMostAcTokens = kMaxBlockTokens - 1;

}  // namespace

JpegImageTokens::JpegImageTokens(const JpegFrame& frame, Meter& meter)
    : frame_(frame), meter_(meter) {
  for (size_t c = 0; c < frame.component_count; ++c) {
    const JpegFrameComponent& own = frame.components[c];
    columns_[c] = DivideRoundingUp(frame.width * own.h, 8u * frame.max_h);
    rows_[c] = DivideRoundingUp(frame.height * own.v, 8u * frame.max_v);
  }
}

uint64_t JpegImageTokens::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows) {
  const uint64_t row_bytes =
      BufferPool::CapacityFor(row_blocks * kMostAcTokens * sizeof(JpegToken)) + sizeof(Row);
  const uint64_t blocks = SaturatingMul(row_blocks, mcu_rows);
  const uint64_t dc_bytes = BufferPool::CapacityFor(SaturatingMul(blocks, sizeof(int16_t))) +
                            BufferPool::CapacityFor(blocks);
  return SaturatingAdd(SaturatingMul(row_bytes, mcu_rows), dc_bytes);
}

Status JpegImageTokens::Start() {
  const size_t row_blocks = size_t{frame_.mcu_columns} * frame_.mcu_blocks();
  const size_t blocks = row_blocks * frame_.mcu_rows;
  PIXPRESS_ASSIGN_OR_RETURN(dc_, meter_.Allocate(blocks * sizeof(int16_t)));
  PIXPRESS_ASSIGN_OR_RETURN(dc_errors_, meter_.Allocate(blocks));
  dc_errors_begin_ = dc_errors_.as<int8_t>();
  held_.reserve(frame_.mcu_rows);
  auto* next = dc_.as<int16_t>();
  for (size_t c = 0; c < frame_.component_count; ++c) {
    const size_t rows = size_t{frame_.mcu_rows} * frame_.components[c].v;
    dc_begin_[c] = std::exchange(next, next + rows * frame_.block_columns(c));
  }
  return Status();
}

// In the order of coding; `use` returns what is after a block.
template <typename Use>
void JpegImageTokens::VisitBlocks(const JpegToken* next, const Use& use) const {
  for (uint32_t column = 0; column < frame_.mcu_columns; ++column) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JpegFrameComponent& own = frame_.components[c];
      for (uint32_t y = 0; y < own.v; ++y) {
        for (uint32_t x = 0; x < own.h; ++x) next = use(c, column * own.h + x, y, next);
      }
    }
  }
}

JpegImageTokens::BlockRowSizes JpegImageTokens::PutDcOf(const JpegToken* tokens, uint32_t mcu_row) {
  BlockRowSizes sizes = {};
  std::array<int32_t, 3> last = {};
  VisitBlocks(tokens, [&](size_t c, uint32_t x, uint32_t y, const JpegToken* next) {
    const uint32_t block_row = mcu_row * frame_.components[c].v + y;
    int16_t* const dc = Dc(c, block_row) + x;
    last[c] += JpegTokenValue(*next);
    *dc = static_cast<int16_t>(last[c]);
    dc_errors_begin_[dc - dc_begin_[0]] = static_cast<int8_t>(JpegDcError(*next));
    const JpegToken* const begin = ++next;
    while (!IsJpegEnd(*next++)) {
    }
    if (IsInside(c, x, block_row)) sizes[c][y] += static_cast<uint32_t>(next - begin);
    return next;
  });
  return sizes;
}

Status JpegImageTokens::PutRow(const JpegToken* tokens, uint32_t mcu_row) {
  Row& row = held_[mcu_row];
  const BlockRowSizes sizes = PutDcOf(tokens, mcu_row);
  BlockRowSizes places = {};
  uint32_t size = 0;
  for (size_t c = 0; c < frame_.component_count; ++c) {
    for (uint32_t y = 0; y < frame_.components[c].v; ++y) {
      places[c][y] = std::exchange(size, size + sizes[c][y]);
    }
    row.ends[c + 1] = size;
  }
  PIXPRESS_ASSIGN_OR_RETURN(row.tokens, meter_.Allocate(size * sizeof(JpegToken)));
  auto* const begin = row.tokens.as<JpegToken>();
  VisitBlocks(tokens, [&](size_t c, uint32_t x, uint32_t y, const JpegToken* next) {
    const bool is_kept = IsInside(c, x, mcu_row * frame_.components[c].v + y);
    JpegToken* to = begin + places[c][y];
    ++next;
    do {
      if (is_kept) *to++ = *next;
    } while (!IsJpegEnd(*next++));
    places[c][y] = static_cast<uint32_t>(to - begin);
    return next;
  });
  return Status();
}

void JpegImageTokens::AddDcBefore(uint32_t mcu_row) {
  for (size_t c = 0; c < frame_.component_count; ++c) {
    const uint32_t v = frame_.components[c].v;
    const std::span dc(Dc(c, mcu_row * v), size_t{v} * frame_.block_columns(c));
    const auto before = static_cast<int16_t>(last_dc_[c]);
    for (int16_t& level : dc) level = static_cast<int16_t>(level + before);
    last_dc_[c] = dc.back();
  }
}

Status JpegImageTokens::PutRows(std::span<const std::span<const JpegToken>> rows,
                                Parallel& parallel) {
  const auto first = static_cast<uint32_t>(held_.size());
  held_.resize(first + rows.size());
  PIXPRESS_RETURN_IF_ERROR(parallel.For(rows.size(), [&](size_t i) {
    return PutRow(rows[i].data(), first + static_cast<uint32_t>(i));
  }));
  for (size_t i = 0; i < rows.size(); ++i) {
    AddDcBefore(first + static_cast<uint32_t>(i));
    token_count_ += rows[i].size();
  }
  return Status();
}

std::span<const JpegToken> JpegImageTokens::Ac(size_t component, uint32_t mcu_row) const {
  const Row& row = held_[mcu_row];
  const auto* tokens = reinterpret_cast<const JpegToken*>(row.tokens.data());
  return {tokens + row.ends[component], tokens + row.ends[component + 1]};
}

}  // namespace pixpress
