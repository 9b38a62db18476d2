#pragma once
// Coefficients through libjpeg, for what our own entropy decoder leaves to it.

#include <array>
#include <cstdint>

#include "codecs/jpeg/error.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/requantize.h"
#include "image/work_context.h"

namespace pixpress {

// Holds the coefficients of the whole image, as modelled by JpegLibraryBytes. Used by one thread;
// borrows the context.
class JpegCoefficients {
 public:
  JpegCoefficients(const ImageInfo& info, const WorkContext& context);
  ~JpegCoefficients();
  JpegCoefficients(const JpegCoefficients&) = delete;
  JpegCoefficients& operator=(const JpegCoefficients&) = delete;

  // Reads the whole image; `encoded` must outlive this. kCorruptImage for damage.
  Status Start(Bytes encoded);
  // Sides, sampling and quantization; no Huffman tables and no scan.
  const JpegFrame& frame() const { return frame_; }
  // The blocks of a row of MCUs, valid until the next call.
  Status ReadRow(uint32_t mcu_row, JpegBlockRows* rows);

 private:
  Status MakeFrame();
  Status Failure() const;
  static void PollStop(j_common_ptr info);

  const size_t library_bytes_;
  const WorkContext& context_;
  jpeg_decompress_struct info_ = {};
  JpegErrors errors_;
  jpeg_progress_mgr hook_ = {};
  jvirt_barray_ptr* arrays_ = nullptr;
  JpegFrame frame_;
};

}  // namespace pixpress
