#pragma once
// Tokens to a JPEG file.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codecs/jpeg/bit_writer.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/tokens.h"
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

// Parts of files.
Status AppendJpegSegment(uint8_t marker, Bytes payload, ByteChain* out);
void AppendJpegHuffman(uint8_t id, const JpegHuffmanSpec& spec, std::vector<uint8_t>* payload);
// Everything from SOI to the frame's header: metadata, quantization tables, sampling.
Status WriteJpegFrame(const JpegFrame& frame, bool is_progressive, const Metadata& metadata,
                      ByteChain* out);

// Everything from SOI to the begin of the scan. The frame's sampling and quantization tables are
// written, its own Huffman tables are not looked at.
Status WriteJpegHead(const JpegFrame& frame, const JpegHuffmanSpecs& specs,
                     const Metadata& metadata, ByteChain* out);
Status WriteJpegEnd(ByteChain* out);

// Codes whole MCUs. Used by one thread, but for EncodePiece.
class JpegEntropyEncoder {
 public:
  Status Start(const JpegFrame& frame, const JpegHuffmanSpecs& specs, Meter& meter, ByteChain* out);
  static uint64_t MemoryBytes() { return JpegBitWriter::MemoryBytes(); }
  // `tokens` are those of whole MCUs.
  Status Encode(std::span<const JpegToken> tokens);
  // The same in two steps, for threads that each code a piece: EncodePiece, which any number of
  // them may call at a time, packs into PieceBytes() of memory and gives the number of bits.
  uint64_t EncodePiece(std::span<const JpegToken> tokens, uint8_t* out) const;
  static size_t PieceBytes(size_t tokens) { return tokens * kMostTokenBits / 8 + 16; }
  Status AppendPiece(const uint8_t* piece, uint64_t bits) { return writer_.Append(piece, bits); }
  Status Finish() { return writer_.Finish(); }

 private:
  static constexpr size_t kMostTokenBits = 27;
  static constexpr size_t kMostMcuTokens = kMaxJpegMcuBlocks * kMaxBlockTokens;

  // By run << 5 | class of the value: what is to be added to a token's lower 12 bits to get the
  // code and the value's bits, and how many those are.
  struct Code {
    uint32_t base = 0;
    uint32_t total_bits = 0;
  };
  using Codes = std::array<Code, 512>;
  static Codes MakeCodes(const JpegHuffmanSpec& spec);
  struct Tables {
    Codes dc;
    Codes ac;
  };
  // Those that begin before `last`.
  const JpegToken* EncodeMcus(const JpegToken* next, const JpegToken* last,
                              JpegBitPacker& out) const;

  std::array<Tables, 2> tables_;
  std::array<const Tables*, kMaxJpegMcuBlocks> tables_of_block_ = {};
  uint32_t mcu_blocks_ = 0;
  JpegBitWriter writer_;
};

}  // namespace pixpress
