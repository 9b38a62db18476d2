#include "codecs/jpeg/pixel_encode.h"

#include <algorithm>
#include <cstdlib>

#include "base/checked_math.h"
#include "codecs/jpeg/encode.h"
#include "codecs/jpeg/pixel_blocks.h"
#include "codecs/jpeg/requantize.h"
#include "codecs/jpeg/row_queue.h"
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

// Blocks in eighths to tokens.
class BlockQuantizer {
 public:
  BlockQuantizer(const JpegFrame& frame, JpegTrellis& trellis) : frame_(frame), trellis_(trellis) {}

  void PutRow(const JpegBlockRows& blocks, JpegTokenWriter* out) {
    VisitJpegBlocks(frame_, blocks, [&](const int16_t* block, size_t component) {
      PutBlock(block, component, *out);
      return true;
    });
  }

 private:
  void PutDc(int32_t eighths, size_t component, JpegTokenWriter& out) {
    const int32_t step = 8 * frame_.quant[component][0], sign = eighths < 0 ? -1 : 1;
    // The difference of two must fit in 11 bits.
    const int32_t magnitude = std::min((std::abs(eighths) + step / 2) / step, 1023);
    const int32_t difference = sign * magnitude - last_dc_[component];
    last_dc_[component] = sign * magnitude;
    if (!trellis_.keeps_dc_errors()) return out.PutDc(difference);
    const int32_t sixteenths = (std::abs(eighths) * 16 + step / 2) / step;
    out.PutDc(difference, sign * (sixteenths - magnitude * 16));
  }
  void PutBlock(const int16_t* block, size_t component, JpegTokenWriter& out) {
    PutDc(block[0], component, out);
    for (uint32_t k = 1; k < 64; ++k) {
      const int32_t value = block[kJpegNaturalOrder[k]];
      const uint32_t sign = value < 0 ? ~0u : 0;
      trellis_.Add(component, k, {static_cast<uint32_t>(std::abs(value)), sign});
    }
    trellis_.Put(component, out);
  }

  const JpegFrame& frame_;
  JpegTrellis& trellis_;
  std::array<int32_t, 3> last_dc_ = {};
};

uint32_t McuRows(const JpegFrame& frame) { return 8u * frame.max_v; }

}  // namespace

uint64_t JpegPixelEncodeBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const JpegFrame frame = JpegPixelBlocks::FrameOf(layout, options.chroma_h, options.chroma_v);
  const uint64_t row_blocks = uint64_t{frame.mcu_columns} * frame.mcu_blocks();
  return SaturatingAdd(JpegTokenSink::MemoryBytes(row_blocks, frame.mcu_rows, options),
                       JpegPixelBlocks::MemoryBytes(frame) + JpegRowQueue::MemoryBytes(layout));
}

Status EncodeJpegPixels(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                        const WorkContext& context, ByteChain* out) {
  const JpegFrame frame = MakeFrame(source.layout(), options);
  JpegRowQueue queue;
  PIXPRESS_RETURN_IF_ERROR(queue.Start(source.layout(), McuRows(frame), context.meter));
  JpegPixelBlocks blocks;
  PIXPRESS_RETURN_IF_ERROR(blocks.Start(source.layout(), frame, context.meter));
  JpegTrellis trellis = MakeTrellis(frame);
  if (!WantsJpegTrellis(options)) trellis.OnlyRound();
  BlockQuantizer quantizer(frame, trellis);
  JpegTokenSink sink(frame, options, metadata, context, &trellis, out);
  PIXPRESS_RETURN_IF_ERROR(sink.Start());
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    PIXPRESS_RETURN_IF_ERROR(queue.Fill(source));
    PIXPRESS_ASSIGN_OR_RETURN(JpegToken* const tokens, sink.Reserve());
    JpegTokenWriter writer(tokens);
    quantizer.PutRow(blocks.Transform(queue.arrays()), &writer);
    queue.Drop();
    PIXPRESS_RETURN_IF_ERROR(sink.Commit(writer.next(), true));
    if (context.progress != nullptr) {
      context.progress->Report(Stage::kEncode, double{1} * (row + 1) / frame.mcu_rows);
    }
  }
  return sink.Finish();
}

}  // namespace pixpress
