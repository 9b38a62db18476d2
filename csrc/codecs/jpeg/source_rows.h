#pragma once
// The coefficients of a JPEG image, row by row of MCUs, on their way to another quantization.

#include <array>
#include <cstdint>
#include <optional>

#include "codecs/jpeg/coefficients.h"
#include "codecs/jpeg/drafter.h"
#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/fold.h"
#include "codecs/jpeg/requantize.h"

namespace pixpress {

// Before an MCU.
struct JpegPosition {
  uint64_t mcus = 0;               // That were read, of the output.
  std::array<int32_t, 3> dc = {};  // Of the last block of each component.
  JpegScanWindow::Place place;
};

// Reads by our own decoder, or by libjpeg what that leaves to it. Used by one thread at a time;
// borrows everything.
class JpegSourceRows {
 public:
  // False if only pixels will do.
  Result<bool> Start(Bytes encoded, const ImageInfo& info, const WorkContext& context);
  const JpegFrame& frame() const { return library_.has_value() ? library_->frame() : frame_; }
  // Have the output's rows folded from the source's. `target` outlives this.
  Status StartFold(const JpegFrame& target, Meter& meter);

  // The rest of the row of the output that was begun, as tokens of the output. False if the data is
  // not in order, or holds values that cannot be coded.
  Result<bool> Requantize(JpegRequantizer& requantizer, JpegTokenWriter* out);
  // The same as drafts, with DC itself in the DC tokens.
  Result<bool> Draft(const JpegDrafter& drafter, JpegTokenWriter* out);

  // Can the scan be read from any of its MCUs on?
  bool is_own() const { return !folded_.has_value() && !library_.has_value(); }
  const JpegEntropyDecoder& decoder() const { return decoder_; }
  // Its place is that of a scan that is_own().
  JpegPosition position() const;
  void GoTo(const JpegPosition& position);

 private:
  const std::array<int32_t, 3>& dc() const;
  const JpegFrame& made() const { return target_ != nullptr ? *target_ : frame(); }
  // How many MCUs are left of the row that was begun; they count as read now.
  uint32_t TakeRow();
  template <typename Maker>
  Result<bool> Make(Maker& maker, JpegTokenWriter* out);
  template <typename Maker>
  Result<bool> MakeFolded(uint32_t row, Maker& maker, JpegTokenWriter* out);
  template <typename Maker>
  Result<bool> MakeOfBlocks(uint32_t row, Maker& maker, JpegTokenWriter* out);
  // To be asked after a row of the source.
  bool IsInOrderAfter(uint64_t row) const {
    return row + 1 < frame_.mcu_rows || decoder_.is_at_end();
  }

  JpegFrame frame_;
  JpegEntropyDecoder decoder_;
  std::optional<JpegCoefficients> library_;
  std::optional<JpegFoldedRows> folded_;
  const JpegFrame* target_ = nullptr;    // Of folded rows.
  std::array<int32_t, 3> made_dc_ = {};  // Where the decoder does not have it.
  uint64_t mcus_ = 0;                    // Of the output, that were read.
  std::optional<JpegPosition> jump_;     // Where the decoder is to go first.
};

}  // namespace pixpress
