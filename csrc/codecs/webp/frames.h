#pragma once
// The frames of an animated WebP as they lie in its chunks.

#include <cstdint>

#include "base/status.h"
#include "codecs/canvas_frame.h"
#include "codecs/webp/chunks.h"
#include "memory/byte_chain.h"

namespace pixpress {

// What ANMF holds.
struct WebpFrame {
  CanvasPlace place;
  uint32_t duration_ms = 0;
  CanvasDisposal disposal = CanvasDisposal::kKeep;  // Never kRestore.
  CanvasBlend blend = CanvasBlend::kSource;
  bool is_lossless = false;
  bool has_alpha = false;  // As its chunks say, which need not be what its pixels have.
  Bytes image;             // Its chunks of alpha and color, as libwebp takes them.
};

inline constexpr uint32_t kLongestWebpMs = (1u << 24) - 1;

// `anmf` is the data of the chunk. kCorruptImage unless the frame lies in the canvas and has an
// image, of which `is_cut` says that it may be cut off.
Result<WebpFrame> ParseWebpFrame(Bytes anmf, uint32_t width, uint32_t height, bool is_cut = false);
// kCorruptImage unless there are as many frames as `info` says, and each is as ParseWebpFrame asks.
Status CheckWebpFrames(Bytes encoded, const ImageInfo& info);

// Walks over the frames of a file.
class WebpFrameReader {
 public:
  // `takes_cut`: a frame that is cut off is one too.
  explicit WebpFrameReader(Bytes encoded, bool takes_cut = false)
      : takes_cut_(takes_cut), chunks_(encoded), first_(encoded) {}
  // Does VP8X say so?
  bool is_animated() const;
  // False after the last.
  Result<bool> Next(uint32_t width, uint32_t height, WebpFrame* frame);

 private:
  const bool takes_cut_;
  WebpChunkReader chunks_;
  const WebpChunkReader first_;
};

// How often all is shown; 0: for ever. From the data of ANIM.
uint32_t WebpLoopCount(Bytes anim);
Status AppendWebpAnim(uint32_t loop_count, ByteChain* out);
// `frame.image` may have a RIFF header around it.
Status AppendWebpFrame(const WebpFrame& frame, ByteChain* out);
// What AppendWebpAnim appends.
inline constexpr uint64_t kWebpAnimBytes = 14;

}  // namespace pixpress
