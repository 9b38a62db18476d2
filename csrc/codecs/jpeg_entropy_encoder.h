#pragma once
// Tokens to a JPEG file.

#include <array>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/jpeg_bit_writer.h"
#include "codecs/jpeg_frame.h"
#include "codecs/jpeg_tokens.h"
#include "image/metadata.h"

namespace pixpress {

// Luma and chroma.
struct JpegHuffmanSpecs {
  std::array<JpegHuffmanSpec, 2> dc;
  std::array<JpegHuffmanSpec, 2> ac;
};
struct JpegBlockCounts {
  JpegSymbolCounts dc = {};
  JpegSymbolCounts ac = {};
};
using JpegImageCounts = std::array<JpegBlockCounts, 2>;
// Add the symbols of whole MCUs.
void CountJpegTokens(const JpegFrame& frame, std::span<const JpegToken> tokens,
                     JpegImageCounts* counts);

JpegHuffmanSpecs StandardJpegHuffmanSpecs();
// The best tables for these counts; `counts` of what is still to come may be missing symbols only
// if `for_all` gives every symbol a code.
JpegHuffmanSpecs MakeOptimalJpegHuffmanSpecs(const JpegImageCounts& counts, bool for_all);

// Everything from SOI to the begin of the scan. The frame's sampling and quantization tables are
// written, its own Huffman tables are not looked at.
Status WriteJpegHead(const JpegFrame& frame, const JpegHuffmanSpecs& specs,
                     const Metadata& metadata, ByteChain* out);
Status WriteJpegEnd(ByteChain* out);

// Codes whole MCUs. Used by one thread; borrows the frame.
class JpegEntropyEncoder {
 public:
  Status Start(const JpegFrame& frame, const JpegHuffmanSpecs& specs, Meter& meter, ByteChain* out);
  static uint64_t MemoryBytes() { return JpegBitWriter::MemoryBytes(); }
  // `tokens` are those of whole MCUs.
  Status Encode(std::span<const JpegToken> tokens);
  Status Finish() { return writer_.Finish(); }

 private:
  struct Tables {
    JpegCodeTable dc;
    JpegCodeTable ac;
  };
  const JpegToken* EncodeMcus(const JpegToken* next, const JpegToken* end);

  std::array<Tables, 2> tables_;
  std::array<const Tables*, kMaxJpegMcuBlocks> tables_of_block_ = {};
  uint32_t mcu_blocks_ = 0;
  JpegBitWriter writer_;
};

}  // namespace pixpress
