#pragma once
// All rows of an image from pixels to a JPEG file, on as many threads as are idle.

#include <array>
#include <cstdint>
#include <vector>

#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/pixel_blocks.h"
#include "codecs/jpeg/row_queue.h"
#include "codecs/jpeg/token_sink.h"
#include "codecs/jpeg/trellis.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// While no thread is idle, or of a small image, rows are quantized as they come. Else one thread
// pulls and transforms some rows while others quantize and code those before. The file is the same
// either way. Used by one thread; borrows everything.
class JpegPixelRows {
 public:
  // `trellis` is the sink's.
  JpegPixelRows(const JpegFrame& frame, JpegTrellis& trellis, JpegTokenSink& sink,
                const WorkContext& context)
      : frame_(frame), trellis_(trellis), sink_(sink), context_(context) {}
  static uint64_t MemoryBytes(const ImageLayout& layout, const JpegFrame& frame);

  Status Start(const ImageLayout& layout);
  Status Run(RowSource& source);

 private:
  using Levels = std::array<int32_t, 3>;
  // A row of MCUs, transformed.
  struct Row {
    Buffer memory;
    JpegBlockRows blocks = {};
    Levels dc_before = {};  // Of each component's last block before it.
  };
  // Of which those before `next` are done.
  struct Batch {
    std::vector<Row> rows;
    size_t count = 0;
    size_t next = 0;
    bool is_done() const { return next == count; }
  };
  struct Work {
    Buffer memory;
    JpegCodedPiece coded;
  };
  static size_t BatchRows(const JpegFrame& frame);
  Status ReadRow(RowSource& source, Row* row);
  Status ReadBatch(RowSource& source, Batch* batch);
  Status RunRow(RowSource& source);
  Status RunWave(RowSource& source, bool reads_ahead);
  Status PlaceWork(size_t count);
  Status QuantizeRow(const Row& row, uint32_t number, size_t most_packed_bytes, Work* work) const;

  const JpegFrame& frame_;
  JpegTrellis& trellis_;  // Each row of a wave has a copy.
  JpegTokenSink& sink_;
  const WorkContext& context_;
  JpegRowQueue queue_;
  JpegPixelBlocks transform_;
  uint32_t rows_read_ = 0;
  Levels last_dc_ = {};  // Of what was read.
  std::array<Batch, 2> batches_;
  size_t now_ = 0;  // The batch that is worked on.
  std::vector<Work> works_;
};

}  // namespace pixpress
