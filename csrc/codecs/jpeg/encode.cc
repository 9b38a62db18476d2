#include "codecs/jpeg/encode.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"
#include "codecs/jpeg/error.h"
#include "codecs/jpeg/metadata.h"
#include "codecs/jpeg/output.h"
#include "codecs/jpeg/pixel_encode.h"
#include "codecs/jpeg/row_queue.h"

namespace pixpress {
namespace {

// From here on the Huffman tables are made for the image, which holds all its coefficients.
bool WantsOptimized(const EncodeOptions& options) {
  return options.effort >= 3 || WantsProgressiveJpeg(options);
}

bool HasOwnEncoder(const EncodeOptions& options) {
  return options.effort >= kJpegTrellisEffort || WantsJpegTrellis(options);
}

// Samples of all components, sides padded to whole iMCUs.
uint64_t PaddedSamples(const ImageLayout& layout, const EncodeOptions& options) {
  const uint64_t padded = SaturatingMul(uint64_t{layout.width} + 32, uint64_t{layout.height} + 32);
  if (layout.color == ColorModel::kYCbCr) {
    return padded + 2 * padded / (layout.max_h_samples() * layout.max_v_samples());
  }
  if (layout.color == ColorModel::kRgb) {
    return padded + 2 * padded / (uint64_t{options.chroma_h} * options.chroma_v);
  }
  return padded;
}

// Hundredths of a byte that a sample takes at most: measured with black and white noise, to which
// the standard Huffman tables are the less suited the finer the steps.
uint64_t MostSampleHundredths(const EncodeOptions& options) {
  const auto above = [&](int quality) { return std::max(options.quality - quality, 0); };
  const int steps = WantsOptimized(options) ? 3 * above(90) : 3 * above(80) + 5 * above(90);
  return static_cast<uint64_t>(25 + options.quality * 2 / 3 + steps);
}

// The library's row buffers and the row queue, then the coefficients.
uint64_t LibraryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  uint64_t bytes = (512 << 10) + JpegRowQueue::MemoryBytes(layout);
  if (WantsOptimized(options)) {
    bytes = SaturatingAdd(bytes, SaturatingMul(2, PaddedSamples(layout, options)));
  }
  return bytes;
}

class JpegCompressor {
 public:
  JpegCompressor(RowSource& source, const EncodeOptions& options, const WorkContext& context)
      : source_(source), layout_(source.layout()), options_(options), context_(context) {
    library_bytes_ = LibraryBytes(layout_, options);
    context_.meter.Charge(library_bytes_);
    hook_.progress_monitor = PollStop;
  }
  ~JpegCompressor() {
    jpeg_destroy_compress(&info_);
    context_.meter.Return(library_bytes_);
  }

  Status Run(const Metadata& metadata, ByteChain* out);

 private:
  void SetParameters(const Metadata& metadata);
  void SetSampling();
  Status WriteMcuRow(uint32_t mcu_row, bool is_planar);
  Status Failure() const;
  static void PollStop(j_common_ptr info) {
    if (!static_cast<JpegCompressor*>(info->client_data)->context_.stop.stop_requested()) return;
    info->err->error_exit(info);
  }

  RowSource& source_;
  const ImageLayout layout_;
  const EncodeOptions& options_;
  const WorkContext& context_;
  size_t library_bytes_ = 0;
  jpeg_compress_struct info_ = {};
  JpegErrors errors_;
  JpegOutput output_;
  jpeg_progress_mgr hook_ = {};
  JpegRowQueue queue_;
};

Status JpegCompressor::Failure() const {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  return errors_.Failure(StatusCode::kInternal).At(Stage::kEncode);
}

void JpegCompressor::SetSampling() {
  if (layout_.color == ColorModel::kYCbCr) {
    info_.raw_data_in = TRUE;
    for (int c = 0; c < 3; ++c) {
      info_.comp_info[c].h_samp_factor = layout_.planes[c].h_samples;
      info_.comp_info[c].v_samp_factor = layout_.planes[c].v_samples;
    }
  } else if (layout_.color == ColorModel::kRgb) {
    info_.comp_info[0].h_samp_factor = options_.chroma_h;
    info_.comp_info[0].v_samp_factor = options_.chroma_v;
  }
}

void JpegCompressor::SetParameters(const Metadata& metadata) {
  info_.image_width = layout_.width;
  info_.image_height = layout_.height;
  info_.input_components = layout_.color == ColorModel::kGray ? 1 : 3;
  info_.in_color_space = layout_.color == ColorModel::kGray  ? JCS_GRAYSCALE
                         : layout_.color == ColorModel::kRgb ? JCS_RGB
                                                             : JCS_YCbCr;
  jpeg_set_defaults(&info_);
  jpeg_set_quality(&info_, options_.quality, TRUE);
  info_.dct_method = JDCT_ISLOW;
  SetSampling();
  info_.optimize_coding = WantsOptimized(options_) ? TRUE : FALSE;
  if (WantsProgressiveJpeg(options_)) jpeg_simple_progression(&info_);
  if (!metadata.density.has_value()) return;
  const Density& density = *metadata.density;
  const bool per_meter = density.unit == Density::Unit::kPerMeter;
  const uint32_t divisor = per_meter ? 100 : 1;
  if (density.x / divisor > 65535 || density.y / divisor > 65535) return;
  info_.density_unit = per_meter ? 2 : static_cast<UINT8>(density.unit);
  info_.X_density = static_cast<UINT16>(std::max(density.x / divisor, 1u));
  info_.Y_density = static_cast<UINT16>(std::max(density.y / divisor, 1u));
}

Status JpegCompressor::WriteMcuRow(uint32_t mcu_row, bool is_planar) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  PIXPRESS_RETURN_IF_ERROR(queue_.Fill(source_));
  const uint32_t rows =
      std::min<uint32_t>(queue_.mcu_rows(), layout_.height - mcu_row * queue_.mcu_rows());
  const bool ok = RunFenced(errors_, [&] {
    if (is_planar) {
      jpeg_write_raw_data(&info_, queue_.arrays(), queue_.mcu_rows());
    } else {
      jpeg_write_scanlines(&info_, queue_.arrays()[0], rows);
    }
  });
  if (!ok) return Failure();
  queue_.Drop();
  return Status();
}

Status JpegCompressor::Run(const Metadata& metadata, ByteChain* out) {
  const std::vector<JpegMetadataSegment> segments = MakeJpegSegments(metadata);
  const bool is_planar = layout_.color == ColorModel::kYCbCr;
  PIXPRESS_RETURN_IF_ERROR(queue_.Start(layout_, 16, context_.meter));
  info_.err = errors_.Install();
  const auto begin = [&] {
    jpeg_create_compress(&info_);
    info_.client_data = this;
    info_.mem->max_memory_to_use = static_cast<long>(library_bytes_ * 2 + (64 << 20));
    info_.dest = output_.Install(out);
    info_.progress = &hook_;
    SetParameters(metadata);
    jpeg_start_compress(&info_, TRUE);
    for (size_t i = 0; i < segments.size(); ++i) {
      jpeg_write_marker(&info_, segments[i].marker, segments[i].payload.data(),
                        static_cast<unsigned>(segments[i].payload.size()));
    }
  };
  if (!RunFenced(errors_, begin)) return Failure();
  const uint32_t mcu_count = DivideRoundingUp(layout_.height, queue_.mcu_rows());
  for (uint32_t i = 0; i < mcu_count; ++i) {
    PIXPRESS_RETURN_IF_ERROR(WriteMcuRow(i, is_planar));
    if (context_.progress != nullptr) {
      context_.progress->Report(Stage::kEncode, double{1} * (i + 1) / mcu_count);
    }
  }
  return RunFenced(errors_, [&] { jpeg_finish_compress(&info_); }) ? Status() : Failure();
}

}  // namespace

ImageLayout JpegAcceptedLayout(const ImageLayout& from, const EncodeOptions& options) {
  if (from.color == ColorModel::kGray) {
    return ImageLayout::Interleaved(from.width, from.height, ColorModel::kGray, false);
  }
  if (from.color != ColorModel::kYCbCr) {
    return ImageLayout::Interleaved(from.width, from.height, ColorModel::kRgb, false);
  }
  const uint8_t h = from.planes[0].h_samples, v = from.planes[0].v_samples;
  const bool is_legal = h <= 2 && v <= 2 && from.planes[1].h_samples == 1 &&
                        from.planes[1].v_samples == 1 && from.planes[2].h_samples == 1 &&
                        from.planes[2].v_samples == 1;
  const ImageLayout own = ImageLayout::Ycbcr(from.width, from.height, h, v);
  if (is_legal && own.planes == from.planes && from.bits == 8) return from;
  const bool is_full = options.chroma_h == 1 && options.chroma_v == 1;
  return ImageLayout::Ycbcr(from.width, from.height, is_full ? 1 : 2, is_full ? 1 : 2);
}

bool WantsJpegTrellis(const EncodeOptions& options) {
  const int chosen = options.expert.jpeg_trellis;
  return chosen < 0 ? options.effort >= kJpegTrellisEffort : chosen == 1;
}

bool WantsProgressiveJpeg(const EncodeOptions& options) {
  return options.progressive == Progressive::kOn ||
         (options.progressive == Progressive::kAuto && options.effort >= 7);
}

uint64_t JpegOutputBytes(const ImageLayout& layout, const EncodeOptions& options) {
  // The chain's chunks have up to a megabyte, of which the last may be empty.
  constexpr uint64_t kSlackBytes = (512 << 10) + (1 << 20);
  return SaturatingMul(PaddedSamples(layout, options), MostSampleHundredths(options)) / 100 +
         kSlackBytes;
}

uint64_t JpegEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const uint64_t held = HasOwnEncoder(options) ? JpegPixelEncodeBytes(layout, options)
                                               : LibraryBytes(layout, options);
  return SaturatingAdd(held, JpegOutputBytes(layout, options));
}

Status EncodeJpeg(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out) {
  if (HasOwnEncoder(options)) {
    return EncodeJpegPixels(source, options, metadata, context, out);
  }
  return JpegCompressor(source, options, context).Run(metadata, out);
}

}  // namespace pixpress
