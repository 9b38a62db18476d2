#include "codecs/jpeg/error.h"

#include <jerror.h>

#include <cstring>
#include <string>

namespace pixpress {
namespace {

JpegErrors* Of(j_common_ptr info) { return reinterpret_cast<JpegErrors*>(info->err); }

[[noreturn]] void LeaveByFence(j_common_ptr info) {
  JpegErrors* errors = Of(info);
  errors->code = info->err->msg_code;
  info->err->format_message(info, errors->message);
  std::longjmp(errors->fence, 1);
}

// Warnings after which every pixel is still what the encoder meant.
bool IsHarmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM ||
         code == JWRN_BOGUS_ICC || code == JWRN_TOO_MUCH_DATA;
}

void NoteWarning(j_common_ptr info, int level) {
  if (level >= 0) return;
  ++info->err->num_warnings;
  JpegErrors* errors = Of(info);
  if (errors->is_damaged() || IsHarmless(info->err->msg_code)) return;
  info->err->format_message(info, errors->damage);
}

void StaySilent(j_common_ptr) {}

}  // namespace

jpeg_error_mgr* JpegErrors::Install() {
  jpeg_std_error(&library);
  library.error_exit = LeaveByFence;
  library.emit_message = NoteWarning;
  library.output_message = StaySilent;
  return &library;
}

Status JpegErrors::Failure(StatusCode otherwise) const {
  StatusCode status = otherwise;
  if (code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE) {
    status = StatusCode::kMemoryLimit;
  } else if (code == JERR_SOF_UNSUPPORTED || code == JERR_BAD_PRECISION ||
             code == JERR_ARITH_NOTIMPL || code == JERR_CONVERSION_NOTIMPL ||
             code == JERR_FRACT_SAMPLE_NOTIMPL || code == JERR_CCIR601_NOTIMPL) {
    status = StatusCode::kUnsupportedFormat;
  }
  return Status(status, std::string("JPEG: ") + message);
}

Status JpegErrors::Damage() const {
  if (!is_damaged()) return Status();
  return Status(StatusCode::kCorruptImage, std::string("JPEG: ") + damage);
}

}  // namespace pixpress
