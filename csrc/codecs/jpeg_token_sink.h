#pragma once
// Rows of tokens to a JPEG file, baseline or progressive.

#include <optional>

#include "codecs/codec.h"
#include "codecs/jpeg_entropy_encoder.h"
#include "codecs/jpeg_progressive.h"
#include "codecs/jpeg_token_store.h"
#include "codecs/jpeg_trellis.h"

namespace pixpress {

// From this effort on the Huffman tables are made for the image.
inline constexpr int kOptimalJpegTablesEffort = 2;

// Writes a baseline file as soon as its Huffman tables are known, a progressive one at the end.
// Used by one thread; borrows everything.
class JpegTokenSink {
 public:
  // `trellis`, which may be null, learns what symbols take as rows are counted.
  JpegTokenSink(const JpegFrame& frame, const EncodeOptions& options, const Metadata& metadata,
                const WorkContext& context, JpegTrellis* trellis, ByteChain* out);
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows, const EncodeOptions& options);

  Status Start();
  // Where to write the next row of MCUs to.
  Result<JpegToken*> Reserve() { return store_.Reserve(); }
  Status Commit(const JpegToken* begin, const JpegToken* end);
  Status Finish();

 private:
  bool makes_tables() const { return most_bytes_ > 0; }
  uint32_t counted_rows() const;
  void Count(std::span<const JpegToken> tokens);
  Status StartFile(const JpegHuffmanSpecs& specs);
  Status Drain(bool has_more);

  const JpegFrame& frame_;
  const uint64_t most_bytes_;
  const Metadata& metadata_;
  const WorkContext& context_;
  JpegTrellis* const trellis_;
  ByteChain* const out_;
  JpegTokenStore store_;
  JpegEntropyEncoder encoder_;
  std::optional<JpegProgressiveWriter> progressive_;
  JpegImageCounts counts_ = {};
  bool is_started_ = false;
  uint32_t row_ = 0;
  uint32_t counted_ = 0;  // Rows.
};

}  // namespace pixpress
