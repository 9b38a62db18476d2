#pragma once
// Tokens to a progressive JPEG file.

#include <cstdint>
#include <span>

#include "base/parallel.h"
#include "codecs/codec.h"
#include "codecs/jpeg/image_tokens.h"
#include "codecs/jpeg/scan.h"
#include "codecs/jpeg/scan_counts.h"
#include "image/metadata.h"
#include "image/work_context.h"

namespace pixpress {

// Holds the tokens of the whole image, which the scans are written from at the end, those of large
// images on all threads that are idle. Used by one thread; borrows everything.
class JpegProgressiveWriter {
 public:
  // If it `chooses_dc`, DC levels need not stay what tokens say they are, give or take 1.
  JpegProgressiveWriter(const JpegFrame& frame, const EncodeOptions& options,
                        const Metadata& metadata, const WorkContext& context, bool chooses_dc,
                        bool is_large, ByteChain* out)
      : options_(options),
        metadata_(metadata),
        context_{context.meter, context.stop, is_large ? context.parallel : serial_},
        chooses_dc_(chooses_dc),
        out_(out),
        image_(frame, context.meter) {}
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows, bool is_large);

  Status Start() { return image_.Start(); }
  // The tokens of the next rows of MCUs.
  Status PutRows(std::span<const std::span<const JpegToken>> rows) {
    return image_.PutRows(rows, context_.parallel);
  }
  // Polls for a stop as scans are counted and written.
  Status Finish();

 private:
  Status ChooseDc(JpegScanCounts* counts);
  Result<JpegScanScript> ChooseScans(JpegScanCounts* counts) const;
  Status WriteScans(const JpegScanScript& script, const JpegScanCounts& counts);

  const EncodeOptions& options_;
  const Metadata& metadata_;
  SerialParallel serial_;
  const WorkContext context_;
  const bool chooses_dc_;
  ByteChain* const out_;
  JpegImageTokens image_;
};

}  // namespace pixpress
