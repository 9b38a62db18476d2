#include "pipeline/step_convert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "kernels/convert.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

constexpr uint32_t kStripeRows = 16;

class ConvertStep final : public RowSource {
 public:
  ConvertStep(std::unique_ptr<RowSource> source, ImageLayout out, Rgba background)
      : source_(std::move(source)), layout_(std::move(out)), background_(background) {}

  Status Init(Meter& meter) {
    stride_bytes_ = RoundUpTo<size_t>(layout_.row_bytes(0), 64);
    PIXPRESS_ASSIGN_OR_RETURN(rows_, meter.Allocate(stride_bytes_ * kStripeRows));
    // The widest intermediate is RGBA of 16 bits.
    const size_t line_bytes = size_t{layout_.width} * 8;
    for (Buffer& line : lines_) {
      PIXPRESS_ASSIGN_OR_RETURN(line, meter.Allocate(line_bytes));
    }
    if (source_->layout().color == ColorModel::kYCbCr) {
      for (size_t p = 0; p < 3; ++p) {
        PIXPRESS_ASSIGN_OR_RETURN(planes_[p].rows,
                                  meter.Allocate(size_t{layout_.width} * kStripeRows));
      }
    }
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }

  Status Next(Stripe* stripe) override {
    if (source_->layout().color == ColorModel::kYCbCr) return NextFromPlanes(stripe);
    if (next_input_row_ == input_.planes[0].rows) {
      PIXPRESS_RETURN_IF_ERROR(source_->Next(&input_));
      next_input_row_ = 0;
    }
    const PlaneRows& input = input_.planes[0];
    const uint32_t rows = std::min(kStripeRows, input.rows - next_input_row_);
    for (uint32_t y = 0; y < rows; ++y) {
      ConvertRow(input.row(next_input_row_ + y), rows_.data() + y * stride_bytes_);
    }
    next_input_row_ += rows;
    Yield(rows, stripe);
    return Status();
  }

 private:
  // Rows of one YCbCr plane that wait for the other planes.
  struct PlaneQueue {
    Buffer rows;
    uint32_t count = 0;
  };

  void Yield(uint32_t rows, Stripe* stripe) {
    *stripe = Stripe();
    stripe->planes[0] = {rows_.data(), stride_bytes_, made_rows_, rows};
    made_rows_ += rows;
  }

  void TakePlaneRows(size_t p) {
    PlaneQueue& queue = planes_[p];
    const PlaneRows& input = input_.planes[p];
    while (queue.count < kStripeRows && taken_[p] < input.rows) {
      std::memcpy(queue.rows.data() + size_t{queue.count++} * layout_.width, input.row(taken_[p]++),
                  layout_.width);
    }
  }

  Status NextFromPlanes(Stripe* stripe) {
    uint32_t rows = 0;
    while (true) {
      for (size_t p = 0; p < 3; ++p) TakePlaneRows(p);
      rows = std::min({planes_[0].count, planes_[1].count, planes_[2].count});
      if (rows > 0) break;
      PIXPRESS_RETURN_IF_ERROR(source_->Next(&input_));
      taken_ = {};
    }
    const size_t width = layout_.width;
    for (uint32_t y = 0; y < rows; ++y) {
      uint8_t* rgb = lines_[0].data();
      YcbcrToRgbRow(planes_[0].rows.data() + y * width, planes_[1].rows.data() + y * width,
                    planes_[2].rows.data() + y * width, width, rgb);
      ConvertChannelsRow(rgb, ColorModel::kRgb, false, layout_.color, layout_.has_alpha, 8, width,
                         rows_.data() + y * stride_bytes_);
    }
    for (PlaneQueue& queue : planes_) {
      queue.count -= rows;
      std::memmove(queue.rows.data(), queue.rows.data() + rows * width, queue.count * width);
    }
    Yield(rows, stripe);
    return Status();
  }

  // CMYK to RGB, then drop alpha, then channels, then depth; each only where it is asked for.
  void ConvertRow(const uint8_t* in, uint8_t* out) {
    const ImageLayout& from = source_->layout();
    ColorModel color = from.color;
    bool has_alpha = from.has_alpha;
    size_t next_line = 0;
    const auto take_line = [&] { return lines_[next_line++].data(); };
    if (color == ColorModel::kCmyk) {
      uint8_t* rgb = take_line();
      CmykToRgbRow(in, layout_.width, rgb);
      in = rgb;
      color = ColorModel::kRgb;
    }
    if (has_alpha && !layout_.has_alpha) {
      uint8_t* opaque = take_line();
      FlattenRow(in, color == ColorModel::kGray ? 2 : 4, from.bits, background_, layout_.width,
                 opaque);
      in = opaque;
      has_alpha = false;
    }
    const bool same_depth = from.bits == layout_.bits;
    uint8_t* shaped = same_depth ? out : take_line();
    ConvertChannelsRow(in, color, has_alpha, layout_.color, layout_.has_alpha, from.bits,
                       layout_.width, shaped);
    if (same_depth) return;
    const size_t samples = size_t{layout_.width} * layout_.planes[0].channels;
    if (layout_.bits == 8) {
      Narrow16To8(reinterpret_cast<const uint16_t*>(shaped), samples, out);
    } else {
      Widen8To16(shaped, samples, reinterpret_cast<uint16_t*>(out));
    }
  }

  std::unique_ptr<RowSource> source_;
  ImageLayout layout_;
  Rgba background_;
  Stripe input_;
  uint32_t next_input_row_ = 0;
  uint32_t made_rows_ = 0;
  std::array<PlaneQueue, 3> planes_;
  std::array<uint32_t, 3> taken_ = {};
  std::array<Buffer, 3> lines_;
  Buffer rows_;
  size_t stride_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowSource>> MakeConvertStep(std::unique_ptr<RowSource> source,
                                                   ImageLayout out, Rgba background,
                                                   const WorkContext& context) {
  auto step = std::make_unique<ConvertStep>(std::move(source), std::move(out), background);
  PIXPRESS_RETURN_IF_ERROR(step->Init(context.meter));
  return std::unique_ptr<RowSource>(std::move(step));
}

}  // namespace pixpress
