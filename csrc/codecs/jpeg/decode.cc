#include "codecs/jpeg/decode.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked_math.h"
#include "codecs/jpeg/error.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/plane_source.h"

namespace pixpress {
namespace {

constexpr uint32_t kInterleavedRows = 16;

class JpegSource final : public RowSource {
 public:
  JpegSource(const ImageInfo& info, const DecodeOptions& options, const WorkContext& context)
      : layout_(JpegDecodedLayout(info, options)),
        is_planar_(options.planar && info.planar.plane_count > 0),
        denominator_(options.scale_denominator),
        scales_evenly_(options.scales_evenly),
        library_bytes_(JpegLibraryBytes(info)),
        meter_(context.meter),
        stop_(context.stop),
        progress_(context.progress),
        salvage_(context.salvage) {
    meter_.Charge(library_bytes_);
  }
  ~JpegSource() override {
    jpeg_destroy_decompress(&info_);
    meter_.Return(library_bytes_);
  }

  const ImageLayout& layout() const override { return layout_; }
  Status Start(Bytes encoded);
  // How much of the file the library has taken.
  size_t taken_bytes() const;
  Status Next(Stripe* stripe) override;

 private:
  Status AllocateRows();
  Status ReadHeader(Bytes encoded);
  void SetOutput();
  bool ReadPlanar();
  void AverageSquares(size_t p);
  bool ReadInterleaved(uint32_t rows);
  bool FinishAfterLastRow();
  Status TakeDamage(uint32_t rows);
  Status Failure() const;
  static void PollStop(j_common_ptr info);

  const ImageLayout layout_;
  const bool is_planar_;
  const uint8_t denominator_;
  const bool scales_evenly_;
  const size_t library_bytes_;
  Meter& meter_;
  const StopToken stop_;
  ProgressSink* const progress_;
  Salvage* const salvage_;
  bool is_damage_noted_ = false;
  bool has_multiple_scans_ = false;
  Bytes encoded_;
  jpeg_decompress_struct info_ = {};
  JpegErrors errors_;
  jpeg_progress_mgr hook_ = {};
  Buffer buffer_;
  std::array<std::array<JSAMPROW, 32>, 3> rows_ = {};  // MCU rows have at most 4 x 8.
  std::array<JSAMPARRAY, 3> arrays_ = {};
  std::array<size_t, 3> stride_ = {};
  std::array<uint32_t, 3> mcu_rows_ = {};
  std::array<uint32_t, 3> finer_ = {1, 1, 1};  // Than was asked for, in both directions.
  std::array<uint32_t, 3> next_row_ = {};
};

// The library calls this per MCU row; a stop leaves like an error.
void JpegSource::PollStop(j_common_ptr info) {
  if (!static_cast<JpegSource*>(info->client_data)->stop_.stop_requested()) return;
  info->err->error_exit(info);
}

Status JpegSource::Failure() const {
  PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
  return errors_.Failure(StatusCode::kCorruptImage).At(Stage::kDecode);
}

Status JpegSource::ReadHeader(Bytes encoded) {
  encoded_ = encoded;
  info_.err = errors_.Install();
  const bool ok = RunFenced(errors_, [&] {
    jpeg_create_decompress(&info_);
    info_.client_data = this;
    info_.mem->max_memory_to_use = static_cast<long>(library_bytes_ * 2 + (64 << 20));
    jpeg_mem_src(&info_, encoded.data(), encoded.size());
    jpeg_read_header(&info_, TRUE);
    has_multiple_scans_ = jpeg_has_multiple_scans(&info_);
  });
  return ok ? Status() : Failure();
}

void JpegSource::SetOutput() {
  info_.scale_num = 1;
  info_.scale_denom = denominator_;
  info_.dct_method = JDCT_ISLOW;
  hook_.progress_monitor = PollStop;
  info_.progress = &hook_;
  if (is_planar_) {
    info_.raw_data_out = TRUE;
    info_.out_color_space = info_.jpeg_color_space;
  } else if (layout_.color == ColorModel::kGray) {
    info_.out_color_space = JCS_GRAYSCALE;
  } else {
    info_.out_color_space = layout_.color == ColorModel::kCmyk ? JCS_CMYK : JCS_RGB;
  }
}

Status JpegSource::AllocateRows() {
  size_t bytes = 0;
  for (size_t p = 0; p < layout_.plane_count; ++p) {
    mcu_rows_[p] = kInterleavedRows;
    stride_[p] = RoundUpTo<size_t>(layout_.row_bytes(p), 64);
    if (is_planar_) {
      const jpeg_component_info& component = info_.comp_info[p];
      if (scales_evenly_) finer_[p] = component.DCT_scaled_size / info_.min_DCT_scaled_size;
      if (DivideRoundingUp(component.downsampled_width, finer_[p]) != layout_.planes[p].width ||
          DivideRoundingUp(component.downsampled_height, finer_[p]) != layout_.planes[p].height) {
        return Status(StatusCode::kInternal, "JPEG: planes differ from the plan");
      }
      mcu_rows_[p] = component.v_samp_factor * component.DCT_scaled_size;
      stride_[p] =
          RoundUpTo<size_t>(size_t{component.width_in_blocks + 4} * component.DCT_scaled_size, 64);
    }
    bytes += stride_[p] * mcu_rows_[p];
  }
  PIXPRESS_ASSIGN_OR_RETURN(buffer_, meter_.Allocate(bytes));
  uint8_t* next = buffer_.data();
  for (size_t p = 0; p < layout_.plane_count; ++p) {
    for (uint32_t y = 0; y < mcu_rows_[p]; ++y, next += stride_[p]) rows_[p][y] = next;
    arrays_[p] = rows_[p].data();
  }
  return Status();
}

Status JpegSource::Start(Bytes encoded) {
  PIXPRESS_RETURN_IF_ERROR(ReadHeader(encoded));
  SetOutput();
  if (!RunFenced(errors_, [&] { jpeg_start_decompress(&info_); })) return Failure();
  if (!is_planar_ &&
      (info_.output_width != layout_.width || info_.output_height != layout_.height ||
       info_.output_components != layout_.planes[0].channels)) {
    return Status(StatusCode::kInternal, "JPEG: the output differs from the plan");
  }
  return AllocateRows();
}

bool JpegSource::ReadPlanar() {
  const bool is_read = RunFenced(errors_, [&] {
    jpeg_read_raw_data(&info_, arrays_.data(), info_.max_v_samp_factor * info_.min_DCT_scaled_size);
  });
  if (!is_read) return false;
  for (size_t p = 0; p < layout_.plane_count; ++p) {
    if (finer_[p] > 1) AverageSquares(p);
  }
  return true;
}

// In place: the library scaled the plane less than it was asked to.
void JpegSource::AverageSquares(size_t p) {
  const uint32_t side = finer_[p];
  for (uint32_t y = 0; y < mcu_rows_[p] / side; ++y) {
    for (uint32_t x = 0; x < layout_.planes[p].width; ++x) {
      uint32_t sum = side * side / 2;
      for (uint32_t i = 0; i < side; ++i) {
        for (uint32_t j = 0; j < side; ++j) sum += rows_[p][y * side + i][x * side + j];
      }
      rows_[p][y][x] = static_cast<uint8_t>(sum / (side * side));
    }
  }
}

bool JpegSource::ReadInterleaved(uint32_t rows) {
  return RunFenced(errors_, [&] {
    // The library gives few rows at a time.
    const JDIMENSION end = info_.output_scanline + rows;
    JDIMENSION done = 0;
    while (info_.output_scanline < end) {
      done += jpeg_read_scanlines(&info_, arrays_[0] + done, rows - done);
    }
  });
}

// The library reads ahead of the pixels by a few bytes, more or less by chance: only this tells for
// certain whether the end marker is there.
bool JpegSource::FinishAfterLastRow() {
  if (info_.output_scanline < info_.output_height) return true;
  return RunFenced(errors_, [&] { jpeg_finish_decompress(&info_); });
}

size_t JpegSource::taken_bytes() const {
  // At the end of the file it reads an end marker of its own instead.
  const size_t left = info_.src == nullptr ? 0 : info_.src->bytes_in_buffer;
  const bool is_within = info_.src != nullptr &&
                         info_.src->next_input_byte + left == encoded_.data() + encoded_.size();
  return is_within ? encoded_.size() - left : encoded_.size();
}

// An error, or noted once, with the rows of the first plane that came before it.
Status JpegSource::TakeDamage(uint32_t rows) {
  if (salvage_ == nullptr) return errors_.Damage().At(Stage::kDecode);
  if (!errors_.is_damaged() || is_damage_noted_) return Status();
  is_damage_noted_ = true;
  if (has_multiple_scans_) {
    salvage_->Note("what later scans add is missing");
  } else {
    salvage_->Note(rows, layout_.planes[0].height, "rows");
  }
  return Status();
}

Status JpegSource::Next(Stripe* stripe) {
  PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
  *stripe = Stripe();
  const uint32_t rows = std::min(kInterleavedRows, layout_.height - next_row_[0]);
  if (!(is_planar_ ? ReadPlanar() : ReadInterleaved(rows))) return Failure();
  PIXPRESS_RETURN_IF_ERROR(TakeDamage(next_row_[0]));
  if (!FinishAfterLastRow()) {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    if (salvage_ == nullptr) return Failure();
  }
  PIXPRESS_RETURN_IF_ERROR(TakeDamage(layout_.planes[0].height));
  // Adobe stores ink inverted.
  if (layout_.color == ColorModel::kCmyk && info_.saw_Adobe_marker) {
    for (uint32_t y = 0; y < rows; ++y) {
      for (size_t x = 0; x < layout_.row_bytes(0); ++x) rows_[0][y][x] ^= 0xFF;
    }
  }
  for (size_t p = 0; p < layout_.plane_count; ++p) {
    const uint32_t left = layout_.planes[p].height - next_row_[p];
    stripe->planes[p] = {rows_[p][0], stride_[p], next_row_[p],
                         std::min(mcu_rows_[p] / finer_[p], left)};
    next_row_[p] += stripe->planes[p].rows;
  }
  if (progress_ != nullptr) {
    progress_->Report(Stage::kDecode, double{1} * next_row_[0] / layout_.planes[0].height);
  }
  return Status();
}

// What comes before the segment in which the library was when it had taken so much.
Bytes BeforeSegment(Bytes encoded, size_t taken_bytes) {
  JpegWalker walker(encoded);
  JpegSegment segment;
  size_t begin = 0;
  while (walker.Next(&segment) && segment.begin < taken_bytes) begin = segment.begin;
  return encoded.first(begin);
}

}  // namespace

Result<std::unique_ptr<RowSource>> DecodeJpegByLibrary(Bytes encoded, const ImageInfo& info,
                                                       const DecodeOptions& options,
                                                       const WorkContext& context) {
  auto source = std::make_unique<JpegSource>(info, options, context);
  Status status = source->Start(encoded);
  if (status.code() == StatusCode::kCorruptImage && context.salvage != nullptr) {
    // Of several scans, those before what the library cannot even pass over.
    const Bytes sound = BeforeSegment(encoded, source->taken_bytes());
    source.reset();
    source = std::make_unique<JpegSource>(info, options, context);
    status = source->Start(sound);
  }
  PIXPRESS_RETURN_IF_ERROR(status);
  return std::unique_ptr<RowSource>(std::move(source));
}

Result<std::unique_ptr<RowSource>> DecodeJpeg(Bytes encoded, const ImageInfo& info,
                                              const DecodeOptions& options, const Limits& limits,
                                              const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  PIXPRESS_RETURN_IF_ERROR(CheckJpegScans(encoded, limits));
  PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo again, ProbeJpeg(encoded, encoded.size(), limits));
  if (again.width != info.width || again.height != info.height) {
    return Status(StatusCode::kCorruptImage, "JPEG: the image changed after it was probed");
  }
  if (options.planar && again.planar.plane_count > 0 && !again.is_progressive) {
    auto source = std::make_unique<JpegPlaneSource>(again, options, context);
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_started, source->Start(encoded));
    if (is_started) return std::unique_ptr<RowSource>(std::move(source));
  }
  return DecodeJpegByLibrary(encoded, again, options, context);
}

}  // namespace pixpress
