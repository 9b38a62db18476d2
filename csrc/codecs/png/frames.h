#pragma once
// The frames of an animated PNG as they lie in its chunks.

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/canvas_frame.h"
#include "codecs/png/chunks.h"
#include "codecs/png/decode.h"
#include "image/frame.h"

namespace pixpress {

// What fcTL says.
struct PngFrameControl {
  uint32_t sequence = 0;
  CanvasPlace place;
  FrameDuration duration;
  CanvasDisposal disposal = CanvasDisposal::kKeep;
  CanvasBlend blend = CanvasBlend::kSource;
};

inline constexpr size_t kPngFrameControlBytes = 26;

// kCorruptImage unless the frame lies in the canvas and all values are known.
Result<PngFrameControl> ParsePngFrameControl(Bytes data, uint32_t width, uint32_t height);
std::array<uint8_t, kPngFrameControlBytes> MakePngFrameControl(const PngFrameControl& control);

// Walks over a whole file without decoding: checksums, sequence numbers, that every frame has data,
// and that there are as many as acTL says. kCorruptImage otherwise.
Status CheckPngFrames(Bytes encoded, const ImageInfo& info, const WorkContext& context);
// The part of a file that CheckPngFrames would pass, but for its end, and the image data that is
// damaged or cut off there.
Result<Bytes> SoundPngFrames(Bytes encoded, const ImageInfo& info, const WorkContext& context);

// A frame as a PNG file of its own, without copying its data.
class PngFrameInput final : public PngInput {
 public:
  // `head` are the signature and the chunks before the data. `rest` stands behind the fcTL of the
  // frame in a file that CheckPngFrames has passed, or in such a part. `data_type` is "IDAT" or
  // "fdAT".
  PngFrameInput(std::vector<uint8_t> head, const PngChunkReader& rest, std::string_view data_type);
  bool Read(uint8_t* out, size_t count) override;

 private:
  bool NextPiece();
  void NextChunk();

  enum class Part : uint8_t { kHead, kChunkHead, kChunkData, kChunkTail, kEnd };
  const std::vector<uint8_t> head_;
  const std::string_view data_type_;
  PngChunkReader rest_;
  bool is_cut_ = false;  // The last chunk that was found; nothing is behind it.
  Part part_ = Part::kHead;
  Bytes piece_;  // What has not been read of the present part.
  std::array<uint8_t, 8> chunk_head_ = {};
  Bytes chunk_data_;
  std::array<uint8_t, 4> chunk_tail_ = {};
};

// The image of a file that may be cut off or damaged behind its header: what there is of its data,
// as a file with the right checksums. kCorruptImage if there is none.
Result<std::unique_ptr<PngInput>> MakeDamagedPngInput(Bytes encoded);

}  // namespace pixpress
