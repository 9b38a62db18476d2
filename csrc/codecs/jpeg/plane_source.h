#pragma once
// The planes of a sequential JPEG image, at full size or scaled down, from our own entropy decoder.

#include <array>
#include <memory>
#include <optional>

#include "codecs/codec.h"
#include "codecs/jpeg/block_finder.h"
#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/skip_table.h"

namespace pixpress {

// Yields what libjpeg would, bit for bit (but for damaged averages far beyond 0..255, which
// saturate here). Whatever the decoder refuses in the middle is left to libjpeg, from the rows on
// that were given: it says what is wrong with the image, or goes on. Borrows the file. Holds no
// more than JpegDecodeMemoryBytes either way.
class JpegPlaneSource final : public RowSource {
 public:
  // `info` is of a planar image, `options` ask for planes.
  JpegPlaneSource(const ImageInfo& info, const DecodeOptions& options, const WorkContext& context);

  // False if the frame is of another kind: left to libjpeg.
  Result<bool> Start(Bytes encoded);
  const ImageLayout& layout() const override { return layout_; }
  Status Next(Stripe* stripe) override;

 private:
  using Steps = std::array<int16_t, 64>;
  struct Plane {
    uint32_t side = 8;  // Samples of a block's side.
    Steps steps = {};   // In natural order.
    uint8_t* rows = nullptr;
    size_t stride_bytes = 0;
    uint32_t next_row = 0;
    const JpegSkipTable* skips = nullptr;  // Where DC is all that counts and it pays.
  };
  // A block that was read but not transformed yet.
  struct ReadyBlock {
    alignas(16) std::array<int16_t, 64> coefficients = {};  // Zeros once it is transformed.
    const Plane* plane = nullptr;                           // Null: there is none.
    uint8_t* out = nullptr;
  };
  // All that is not needed any more once libjpeg has taken over.
  struct Decoding {
    JpegFrame frame;
    JpegEntropyDecoder decoder;
    Buffer rows;
    // By the tables' slots in the file, of those that are not ready-made.
    std::array<std::unique_ptr<JpegSkipTable>, 4> dc_skips, ac_skips;
    std::optional<JpegBlockFinder> finder;  // Where DC is all that counts.
  };

  Status AllocateRows();
  const JpegSkipTable* MakeSkips(size_t component, bool is_dc);
  Status StartSkipping();
  uint32_t FindFlatMcus();
  bool DecodeRow();
  bool DecodeMcu(uint32_t column);
  bool ReadBlock(JpegBitReader& in, size_t component, uint8_t* out);
  void TransformReady();
  void NextOfOwn(Stripe* stripe);
  Status NextOfLibrary(Stripe* stripe);

  const ImageInfo info_;
  const DecodeOptions options_;
  const WorkContext context_;
  const ImageLayout layout_;
  Bytes encoded_;
  std::optional<Decoding> own_;
  uint32_t mcu_row_ = 0;
  std::array<Plane, 3> planes_;
  std::array<ReadyBlock, 2> blocks_;    // In use by turns.
  size_t block_ = 0;                    // The one to be read next.
  std::unique_ptr<RowSource> library_;  // Null until it is needed.
};

}  // namespace pixpress
