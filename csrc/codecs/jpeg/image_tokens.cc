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
  return SaturatingAdd(SaturatingMul(row_bytes, mcu_rows), dc_bytes) +
         BufferPool::CapacityFor((row_blocks + 1) * sizeof(JpegToken*));
}

Status JpegImageTokens::Start() {
  const size_t row_blocks = size_t{frame_.mcu_columns} * frame_.mcu_blocks();
  const size_t blocks = row_blocks * frame_.mcu_rows;
  PIXPRESS_ASSIGN_OR_RETURN(dc_, meter_.Allocate(blocks * sizeof(int16_t)));
  PIXPRESS_ASSIGN_OR_RETURN(dc_errors_, meter_.Allocate(blocks));
  dc_errors_begin_ = dc_errors_.as<int8_t>();
  PIXPRESS_ASSIGN_OR_RETURN(blocks_, meter_.Allocate((row_blocks + 1) * sizeof(JpegToken*)));
  held_.reserve(frame_.mcu_rows);
  auto* next = dc_.as<int16_t>();
  for (size_t c = 0; c < frame_.component_count; ++c) {
    const size_t rows = size_t{frame_.mcu_rows} * frame_.components[c].v;
    dc_begin_[c] = std::exchange(next, next + rows * frame_.block_columns(c));
  }
  return Status();
}

void JpegImageTokens::FindBlocks(std::span<const JpegToken> tokens) {
  const JpegToken* next = tokens.data();
  auto** block = blocks_.as<const JpegToken*>();
  const auto mcu_row = static_cast<uint32_t>(held_.size());
  for (uint32_t column = 0; column < frame_.mcu_columns; ++column) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JpegFrameComponent& own = frame_.components[c];
      for (uint32_t y = 0; y < own.v; ++y) {
        int16_t* const dc = Dc(c, mcu_row * own.v + y);
        int8_t* const errors = dc_errors_begin_ + (dc - dc_begin_[0]);
        for (uint32_t x = 0; x < own.h; ++x) {
          last_dc_[c] += JpegTokenValue(*next);
          dc[column * own.h + x] = static_cast<int16_t>(last_dc_[c]);
          errors[column * own.h + x] = static_cast<int8_t>(JpegDcError(*next++));
          *block++ = next;
          while (!IsJpegEnd(*next++)) {
          }
        }
      }
    }
  }
  *block = next;
}

JpegToken* JpegImageTokens::CopyComponent(size_t component, uint32_t first_block,
                                          JpegToken* to) const {
  const JpegFrameComponent& own = frame_.components[component];
  const auto* blocks = reinterpret_cast<const JpegToken* const*>(blocks_.data());
  const uint32_t mcu_blocks = frame_.mcu_blocks();
  const auto first_row = static_cast<uint32_t>(held_.size()) * own.v;
  for (uint32_t y = 0; y < own.v && first_row + y < rows_[component]; ++y) {
    for (uint32_t x = 0; x < columns_[component]; ++x) {
      const JpegToken* from = blocks[x / own.h * mcu_blocks + first_block + y * own.h + x % own.h];
      do {
        *to++ = *from;
      } while (!IsJpegEnd(*from++));
    }
  }
  return to;
}

Status JpegImageTokens::PutRow(std::span<const JpegToken> tokens) {
  Row row;
  PIXPRESS_ASSIGN_OR_RETURN(row.tokens, meter_.Allocate(tokens.size() * sizeof(JpegToken)));
  FindBlocks(tokens);
  auto* const begin = row.tokens.as<JpegToken>();
  JpegToken* to = begin;
  uint32_t first_block = 0;
  for (size_t c = 0; c < frame_.component_count; ++c) {
    to = CopyComponent(c, first_block, to);
    first_block += frame_.components[c].h * frame_.components[c].v;
    row.ends[c + 1] = static_cast<uint32_t>(to - begin);
  }
  token_count_ += tokens.size();
  held_.push_back(std::move(row));
  return Status();
}

std::span<const JpegToken> JpegImageTokens::Ac(size_t component, uint32_t mcu_row) const {
  const Row& row = held_[mcu_row];
  const auto* tokens = reinterpret_cast<const JpegToken*>(row.tokens.data());
  return {tokens + row.ends[component], tokens + row.ends[component + 1]};
}

}  // namespace pixpress
