#pragma once
// 4:4:4, 4:2:2 and 4:4:0 to 4:2:0, without pixels: luma becomes tokens as it comes, and chroma is
// folded block by block.

#include <algorithm>
#include <array>
#include <cstdint>

#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/token_maker.h"
#include "kernels/fold_blocks.h"
#include "memory/meter.h"

namespace pixpress {

// The rows of MCUs of a 4:2:0 image from those of a finer one.
class JpegFoldedRows {
 public:
  // Can chroma of the source be folded? It must have one block of each in an MCU.
  static bool CanFold(const JpegFrame& source);
  // The frame of the output, with the source's tables.
  static JpegFrame FoldedFrame(const JpegFrame& source);
  // Of a source that has so many blocks in a row of luma, and in one of chroma.
  static uint64_t MemoryBytes(uint64_t luma_columns, uint64_t chroma_columns);

  // `target` is FoldedFrame of the source with other quantization tables; all outlive this.
  Status Start(const JpegFrame& source, const JpegFrame& target, Meter& meter);
  // How many rows of MCUs of the source one of the output takes, and which is the first.
  uint32_t source_rows() const { return folds_v_ ? 2 : 1; }
  // The source's row number `i` of those, as it is decoded or from memory. False as a maker's.
  template <JpegTokenMaker Maker>
  bool ReadRow(JpegEntropyDecoder& decoder, uint32_t i, Maker& maker);
  template <JpegTokenMaker Maker>
  bool TakeRow(const JpegBlockRows& blocks, uint32_t i, Maker& maker);
  // `count` of them are there.
  void Fold(uint32_t count);
  // The output's row: luma as the same maker made it, chroma in steps of the output.
  template <JpegTokenMaker Maker>
  bool Put(Maker& maker, JpegTokenWriter* out) const;
  // Of the output's row.
  std::array<int32_t, 3> last_dc() const;

 private:
  // A row of luma blocks as tokens: of each DC itself, the number of those of AC, and these.
  struct LumaRow {
    static constexpr size_t kHeadTokens = 2;
    JpegToken* begin = nullptr;
    JpegToken* last = nullptr;  // The last block.
    JpegToken* end = nullptr;

    template <typename PutAc>
    bool Put(int32_t dc, const PutAc& put_ac) {
      last = end;
      JpegTokenWriter writer(last + kHeadTokens);
      const bool ok = put_ac(writer);
      end = writer.next();
      last[0] = MakeJpegDcToken(dc);
      last[1] = static_cast<JpegToken>(end - last - kHeadTokens);
      return ok;
    }
    int32_t last_dc() const { return JpegTokenValue(last[0]); }
    static const JpegToken* After(const JpegToken* block) { return block + kHeadTokens + block[1]; }
  };
  static uint64_t LumaRowBytes(uint64_t blocks);
  void Begin(uint32_t i);
  void PadLuma(uint32_t count);
  size_t luma_row(uint32_t i, size_t y) const { return folds_v_ ? i : y; }

  const JpegFrame* source_ = nullptr;
  const JpegFrame* target_ = nullptr;
  bool folds_h_ = false;
  bool folds_v_ = false;
  Buffer buffer_;
  std::array<LumaRow, 2> luma_;                         // Of the output.
  std::array<std::array<int16_t*, 2>, 3> chroma_ = {};  // Rows of the source, from [1] on.
  std::array<int16_t*, 3> folded_ = {};
  std::array<FoldFactors, 3> factors_;
};

template <JpegTokenMaker Maker>
bool JpegFoldedRows::ReadRow(JpegEntropyDecoder& decoder, uint32_t i, Maker& maker) {
  Begin(i);
  const JpegFrameComponent& luma = source_->components[0];
  for (size_t column = 0; column < source_->mcu_columns; ++column) {
    if (!decoder.BeginMcu()) return false;
    JpegBitReader in = decoder.reader();  // Of its own, for registers.
    for (size_t block = 0; block < size_t{luma.h} * luma.v; ++block) {
      int32_t& dc = decoder.predictor(0);
      if (!ReadJpegDc(in, decoder.dc_table(0), &dc)) return false;
      const auto read_ac = [&](JpegTokenWriter& out) {
        return maker.ReadAc(in, decoder.ac_table(0), 0, out);
      };
      if (!luma_[luma_row(i, block / luma.h)].Put(dc, read_ac)) return false;
    }
    for (size_t c = 1; c < 3; ++c) {
      if (!decoder.ReadBlock(in, c, chroma_[c][i] + column * 64)) return false;
    }
    decoder.reader() = in;
    if (!decoder.EndMcu()) return false;
  }
  return true;
}

template <JpegTokenMaker Maker>
bool JpegFoldedRows::TakeRow(const JpegBlockRows& blocks, uint32_t i, Maker& maker) {
  Begin(i);
  for (size_t y = 0; y < source_->components[0].v; ++y) {
    for (size_t x = 0; x < source_->block_columns(0); ++x) {
      const int16_t* const block = blocks[0][y] + x * 64;
      const auto put_ac = [&](JpegTokenWriter& out) { return maker.PutAc(block, 0, out); };
      if (!IsJpegDc(block[0]) || !luma_[luma_row(i, y)].Put(block[0], put_ac)) return false;
    }
  }
  for (size_t c = 1; c < 3; ++c) {
    std::copy_n(blocks[c][0], size_t{source_->block_columns(c)} * 64, chroma_[c][i]);
  }
  return true;
}

template <JpegTokenMaker Maker>
bool JpegFoldedRows::Put(Maker& maker, JpegTokenWriter* out) const {
  JpegTokenWriter writer = *out;
  std::array<const JpegToken*, 2> luma = {luma_[0].begin, luma_[1].begin};
  for (size_t column = 0; column < target_->mcu_columns; ++column) {
    for (size_t block = 0; block < 4; ++block) {
      const JpegToken*& next = luma[block / 2];
      if (!maker.PutDc(0, JpegTokenValue(next[0]), writer)) return false;
      writer.PutCopy(next + LumaRow::kHeadTokens, next[1]);
      next = LumaRow::After(next);
    }
    for (size_t c = 1; c < 3; ++c) {
      if (!PutJpegBlock(folded_[c] + column * 64, c, maker, writer)) return false;
    }
  }
  *out = writer;
  return true;
}

}  // namespace pixpress
