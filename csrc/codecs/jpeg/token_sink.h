#pragma once
// Rows of tokens to a JPEG file, baseline or progressive.

#include <optional>

#include "codecs/codec.h"
#include "codecs/jpeg/entropy_encoder.h"
#include "codecs/jpeg/piece.h"
#include "codecs/jpeg/progressive.h"
#include "codecs/jpeg/token_store.h"
#include "codecs/jpeg/trellis.h"

namespace pixpress {

// Whole MCUs of a row that were coded on some thread.
struct JpegCodedPiece {
  std::span<const JpegToken> tokens;
  bool ends_row = false;
  uint8_t* packed = nullptr;  // JpegEntropyEncoder::PieceBytes() of room, or null.
  uint64_t packed_bits = 0;   // 0: they are not packed yet.
  JpegImageCounts counts = {};
};

// From this effort on the Huffman tables are made for the image.
inline constexpr int kOptimalJpegTablesEffort = 2;

// Writes a baseline file as soon as its Huffman tables are known, a progressive one at the end.
// Used by one thread, but for Code; borrows everything.
class JpegTokenSink {
 public:
  // `trellis`, which may be null, learns what symbols take as rows are counted.
  JpegTokenSink(const JpegFrame& frame, const EncodeOptions& options, const Metadata& metadata,
                const WorkContext& context, JpegTrellis* trellis, ByteChain* out);
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows, const EncodeOptions& options);

  Status Start();
  // Where to write the next MCUs of a row to.
  Result<JpegToken*> Reserve();
  // They end at `end`, and it may be that the row does too.
  Status Commit(JpegToken* end, bool ends_row);
  Status Finish();

  // Of large images, pieces may be coded on threads of their own, and then be committed in order.
  static bool TakesPieces(uint64_t row_blocks, uint64_t mcu_rows);
  bool takes_pieces() const { return takes_pieces_; }
  // For the packed bits of pieces; the same each time.
  Result<uint8_t*> PackingRoom();
  size_t packing_room_bytes() const { return packing_room_.size(); }
  // What there is to do with a piece of a row by now; at any time between two calls of Commit.
  void Code(uint32_t row, JpegCodedPiece* piece) const;
  Status Commit(const JpegCodedPiece& piece);
  // How many rows may be chosen, the next one included, before the trellis learns something.
  uint32_t rows_of_same_rates() const;
  uint32_t row() const { return row_; }  // The next one to end.

 private:
  bool makes_tables() const { return most_bytes_ > 0; }
  uint32_t counted_rows() const;
  bool IsCounted(uint32_t row) const;
  Status Keep(JpegToken* end, bool ends_row);
  Status EndRow();
  Status PutGatheredRows();
  void EndCountedRow();
  Status StartFile(const JpegHuffmanSpecs& specs);
  Status Drain(bool has_more);
  Status EncodeRows(std::span<const std::span<const JpegToken>> rows);

  const JpegFrame& frame_;
  const bool takes_pieces_;
  const uint64_t most_bytes_;
  const Metadata& metadata_;
  const WorkContext& context_;
  JpegTrellis* const trellis_;
  ByteChain* const out_;
  JpegTokenStore store_;
  JpegEntropyEncoder encoder_;
  std::optional<JpegProgressiveWriter> progressive_;
  JpegImageCounts counts_ = {};
  JpegToken* row_begin_ = nullptr;  // In the store; null between rows.
  JpegToken* row_end_ = nullptr;
  Buffer packing_room_;
  bool is_started_ = false;
  uint32_t row_ = 0;
  uint32_t counted_ = 0;  // Rows.
};

}  // namespace pixpress
