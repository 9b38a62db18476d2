#include "codecs/jpeg/coefficients.h"

#include <algorithm>

#include "base/checked_math.h"
#include "codecs/jpeg/decode.h"

namespace pixpress {

JpegCoefficients::JpegCoefficients(const ImageInfo& info, const WorkContext& context)
    : library_bytes_(JpegLibraryBytes(info)), context_(context) {
  context_.meter.Charge(library_bytes_);
}

JpegCoefficients::~JpegCoefficients() {
  jpeg_destroy_decompress(&info_);
  context_.meter.Return(library_bytes_);
}

// The library calls this per MCU row; a stop leaves like an error.
void JpegCoefficients::PollStop(j_common_ptr info) {
  const auto* self = static_cast<const JpegCoefficients*>(info->client_data);
  if (self->context_.stop.stop_requested()) info->err->error_exit(info);
}

Status JpegCoefficients::Failure() const {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  return errors_.Failure(StatusCode::kCorruptImage);
}

Status JpegCoefficients::Start(Bytes encoded) {
  info_.err = errors_.Install();
  hook_.progress_monitor = PollStop;
  const bool ok = RunFenced(errors_, [&] {
    jpeg_create_decompress(&info_);
    info_.client_data = this;
    info_.mem->max_memory_to_use = static_cast<long>(library_bytes_ * 2 + (64 << 20));
    jpeg_mem_src(&info_, encoded.data(), encoded.size());
    jpeg_read_header(&info_, TRUE);
    info_.progress = &hook_;
    arrays_ = jpeg_read_coefficients(&info_);
  });
  if (!ok) return Failure();
  PIXPRESS_RETURN_IF_ERROR(errors_.Damage());
  return MakeFrame();
}

Status JpegCoefficients::MakeFrame() {
  frame_.width = info_.image_width;
  frame_.height = info_.image_height;
  frame_.component_count = static_cast<uint8_t>(info_.num_components);
  if (frame_.component_count != 1 && frame_.component_count != 3) {
    return Status(StatusCode::kInternal, "JPEG: coefficients of an unplanned kind");
  }
  for (size_t c = 0; c < frame_.component_count; ++c) {
    const jpeg_component_info& from = info_.comp_info[c];
    JpegFrameComponent& own = frame_.components[c];
    own.id = static_cast<uint8_t>(c + 1);
    own.quant = static_cast<uint8_t>(c);
    if (frame_.component_count > 1) {
      own.h = static_cast<uint8_t>(from.h_samp_factor);
      own.v = static_cast<uint8_t>(from.v_samp_factor);
    }
    frame_.max_h = std::max(frame_.max_h, own.h);
    frame_.max_v = std::max(frame_.max_v, own.v);
    if (from.quant_table == nullptr) {
      return Status(StatusCode::kCorruptImage, "JPEG: a quantization table is missing");
    }
    for (size_t k = 0; k < 64; ++k) {
      frame_.quant[c][k] = from.quant_table->quantval[kJpegNaturalOrder[k]];
    }
  }
  frame_.mcu_columns = DivideRoundingUp(frame_.width, 8u * frame_.max_h);
  frame_.mcu_rows = DivideRoundingUp(frame_.height, 8u * frame_.max_v);
  return Status();
}

Status JpegCoefficients::ReadRow(uint32_t mcu_row, JpegBlockRows* rows) {
  const bool ok = RunFenced(errors_, [&] {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JDIMENSION count = frame_.components[c].v;
      JBLOCKARRAY from = info_.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info_),
                                                       arrays_[c], mcu_row * count, count, FALSE);
      for (size_t y = 0; y < count; ++y) (*rows)[c][y] = from[y][0];
    }
  });
  return ok ? Status() : Failure();
}

}  // namespace pixpress
