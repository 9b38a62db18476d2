#pragma once
// Requantizes all rows of an image, on as many threads as are idle.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "codecs/jpeg/read_ahead.h"
#include "codecs/jpeg/source_rows.h"
#include "codecs/jpeg/token_sink.h"
#include "image/work_context.h"

namespace pixpress {

// While no thread is idle, MCUs are requantized as they are decoded, which takes the least time.
// Else pieces are decoded ahead while the pieces before are requantized and coded. The file is the
// same either way. Used by one thread; borrows everything.
class JpegRowsRequantizer {
 public:
  // `trellis` is the sink's; it may be null, then values are rounded.
  JpegRowsRequantizer(const JpegFrame& target, const std::array<JpegStepScale, 3>& scales,
                      JpegTrellis* trellis, JpegSourceRows& source, JpegTokenSink& sink,
                      const WorkContext& context);
  // Of an image whose rows of MCUs have so many blocks, in so many bytes.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows, uint64_t encoded_bytes);

  // False if the data is not in order, or holds values that cannot be coded.
  Result<bool> Run();

 private:
  struct Work {
    JpegCodedPiece coded;
    bool is_good = false;
  };
  // The pieces of a batch of which those before `next` are done.
  struct Batch {
    std::vector<JpegPiece> pieces;
    size_t next = 0;
    bool is_done() const { return next == pieces.size(); }
  };
  bool WantsToReadAhead() const;
  Result<bool> RunRow();
  Result<bool> RunWave(bool reads_ahead);
  size_t PlaceWork(const Batch& batch, uint8_t* room);
  Status RunPiece(const JpegPiece& piece, Work* work) const;

  const JpegFrame& target_;
  const std::array<JpegStepScale, 3>& scales_;
  JpegTrellis* const trellis_;  // Each piece has a copy.
  JpegSourceRows& source_;
  JpegTokenSink& sink_;
  const WorkContext& context_;
  std::unique_ptr<JpegReadAhead> reader_;  // Null: the image is too small.
  std::array<Batch, 2> batches_;
  size_t now_ = 0;  // The batch that is worked on.
  std::vector<Work> works_;
};

}  // namespace pixpress
