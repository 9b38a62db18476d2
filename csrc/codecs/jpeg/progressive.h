#pragma once
// Tokens to a progressive JPEG file.

#include <cstdint>
#include <span>

#include "codecs/codec.h"
#include "codecs/jpeg/image_tokens.h"
#include "codecs/jpeg/scan.h"
#include "image/metadata.h"
#include "image/work_context.h"

namespace pixpress {

// Holds the tokens of the whole image, which the scans are written from at the end. Used by one
// thread; borrows everything.
class JpegProgressiveWriter {
 public:
  // If it `chooses_dc`, DC levels need not stay what tokens say they are, give or take 1.
  JpegProgressiveWriter(const JpegFrame& frame, const EncodeOptions& options,
                        const Metadata& metadata, const WorkContext& context, bool chooses_dc,
                        ByteChain* out)
      : options_(options),
        metadata_(metadata),
        context_(context),
        chooses_dc_(chooses_dc),
        out_(out),
        image_(frame, context.meter) {}
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows);

  Status Start() { return image_.Start(); }
  // The tokens of a row of MCUs, rows in order.
  Status PutRow(std::span<const JpegToken> tokens) { return image_.PutRow(tokens); }
  // Polls for a stop as scans are counted and written.
  Status Finish();

 private:
  Result<JpegScanScript> ChooseScans() const;
  Status WriteScans(const JpegScanScript& script);

  const EncodeOptions& options_;
  const Metadata& metadata_;
  const WorkContext& context_;
  const bool chooses_dc_;
  ByteChain* const out_;
  JpegImageTokens image_;
};

}  // namespace pixpress
