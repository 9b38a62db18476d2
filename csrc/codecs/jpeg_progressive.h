#pragma once
// Tokens to a progressive JPEG file, through libjpeg.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codecs/jpeg_error.h"
#include "codecs/jpeg_frame.h"
#include "codecs/jpeg_output.h"
#include "codecs/jpeg_tokens.h"
#include "image/metadata.h"
#include "image/work_context.h"

namespace pixpress {

// Holds the coefficients of the whole image, which the scans are written from at the end. Used by
// one thread; borrows everything.
class JpegProgressiveWriter {
 public:
  JpegProgressiveWriter(const JpegFrame& frame, const Metadata& metadata,
                        const WorkContext& context, ByteChain* out);
  ~JpegProgressiveWriter();
  JpegProgressiveWriter(const JpegProgressiveWriter&) = delete;
  JpegProgressiveWriter& operator=(const JpegProgressiveWriter&) = delete;
  // Of an image whose rows of MCUs have so many blocks.
  static uint64_t MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows);

  Status Start();
  // The tokens of a row of MCUs, rows in order.
  Status PutRow(uint32_t mcu_row, std::span<const JpegToken> tokens);
  // Polls for a stop as scans are written.
  Status Finish();

 private:
  void SetParameters();
  void ChooseScans();
  const JpegToken* PutBlock(const JpegToken* next, int32_t* dc, int16_t* block) const;
  Status Failure() const;
  static void PollStop(j_common_ptr info);

  const JpegFrame& frame_;
  const Metadata& metadata_;
  const WorkContext& context_;
  ByteChain* const out_;
  const size_t library_bytes_;
  jpeg_compress_struct info_ = {};
  JpegErrors errors_;
  JpegOutput output_;
  jpeg_progress_mgr hook_ = {};
  std::array<jvirt_barray_ptr, 3> arrays_ = {};
  std::vector<jpeg_scan_info> scans_;
  std::array<int32_t, 3> last_dc_ = {};
  uint64_t token_count_ = 0;
};

}  // namespace pixpress
