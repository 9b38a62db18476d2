#include "codecs/jpeg/pixel_encode.h"

#include <algorithm>

#include "base/checked_math.h"
#include "codecs/jpeg/encode.h"
#include "codecs/jpeg/pixel_blocks.h"
#include "codecs/jpeg/pixel_rows.h"
#include "codecs/jpeg/requantize.h"
#include "codecs/jpeg/token_sink.h"
#include "codecs/jpeg/trellis.h"

namespace pixpress {
namespace {

JpegFrame MakeFrame(const ImageLayout& layout, const EncodeOptions& options) {
  JpegFrame frame = JpegPixelBlocks::FrameOf(layout, options.chroma_h, options.chroma_v);
  for (size_t c = 0; c < frame.component_count; ++c) {
    frame.quant[c] = options.effort >= kJpegTrellisEffort
                         ? PerceptualJpegQuant(options.quality, c > 0)
                         : StandardJpegQuant(options.quality, c > 0);
  }
  return frame;
}

JpegTrellis MakeTrellis(const JpegFrame& frame) {
  JpegTrellis::Steps from = {}, to = {};
  for (size_t c = 0; c < frame.component_count; ++c) {
    from[c].fill(1);
    std::ranges::copy(frame.quant[c], to[c].begin());
  }
  return JpegTrellis(from, to);
}

}  // namespace

uint64_t JpegPixelEncodeBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const JpegFrame frame = JpegPixelBlocks::FrameOf(layout, options.chroma_h, options.chroma_v);
  const uint64_t row_blocks = uint64_t{frame.mcu_columns} * frame.mcu_blocks();
  return SaturatingAdd(JpegTokenSink::MemoryBytes(row_blocks, frame.mcu_rows, options),
                       JpegPixelRows::MemoryBytes(layout, frame));
}

Status EncodeJpegPixels(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                        const WorkContext& context, ByteChain* out) {
  const JpegFrame frame = MakeFrame(source.layout(), options);
  JpegTrellis trellis = MakeTrellis(frame);
  if (!WantsJpegTrellis(options)) trellis.OnlyRound();
  JpegTokenSink sink(frame, options, metadata, context, &trellis, out);
  PIXPRESS_RETURN_IF_ERROR(sink.Start());
  JpegPixelRows rows(frame, trellis, sink, context);
  PIXPRESS_RETURN_IF_ERROR(rows.Start(source.layout()));
  PIXPRESS_RETURN_IF_ERROR(rows.Run(source));
  return sink.Finish();
}

}  // namespace pixpress
