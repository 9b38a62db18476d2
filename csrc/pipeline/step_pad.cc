#include "pipeline/step_pad.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "kernels/convert.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

constexpr uint32_t kStripeRows = 16;

class PadStep final : public RowSource {
 public:
  PadStep(std::unique_ptr<RowSource> source, ImageLayout out, uint32_t pad_left, uint32_t pad_top)
      : source_(std::move(source)),
        layout_(std::move(out)),
        pad_top_(pad_top),
        pixel_bytes_(layout_.planes[0].channels * layout_.bytes_per_sample()),
        left_bytes_(pad_left * pixel_bytes_) {}

  Status Init(Rgba background, Meter& meter) {
    const size_t row_bytes = layout_.row_bytes(0);
    stride_bytes_ = RoundUpTo<size_t>(row_bytes, 64);
    PIXPRESS_ASSIGN_OR_RETURN(rows_, meter.Allocate(stride_bytes_ * kStripeRows));
    PIXPRESS_ASSIGN_OR_RETURN(blank_, meter.Allocate(row_bytes));
    uint8_t pixel[8];
    const uint8_t rgba[4] = {background.r, background.g, background.b, background.a};
    uint16_t wide[4];
    Widen8To16(rgba, 4, wide);
    const void* color = layout_.bits == 16 ? static_cast<const void*>(wide) : rgba;
    ConvertChannelsRow(color, ColorModel::kRgb, true, layout_.color, layout_.has_alpha,
                       layout_.bits, 1, pixel);
    for (size_t x = 0; x < layout_.width; ++x) {
      std::memcpy(blank_.data() + x * pixel_bytes_, pixel, pixel_bytes_);
    }
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }

  Status Next(Stripe* stripe) override {
    const uint32_t rows = std::min(kStripeRows, layout_.height - made_rows_);
    for (uint32_t y = 0; y < rows; ++y) {
      uint8_t* out = rows_.data() + y * stride_bytes_;
      std::memcpy(out, blank_.data(), layout_.row_bytes(0));
      const uint32_t canvas_row = made_rows_ + y;
      if (canvas_row < pad_top_ || canvas_row - pad_top_ >= source_->layout().height) continue;
      while (next_input_row_ == input_.planes[0].rows) {
        PIXPRESS_RETURN_IF_ERROR(source_->Next(&input_));
        next_input_row_ = 0;
      }
      std::memcpy(out + left_bytes_, input_.planes[0].row(next_input_row_++),
                  source_->layout().row_bytes(0));
    }
    *stripe = Stripe();
    stripe->planes[0] = {rows_.data(), stride_bytes_, made_rows_, rows};
    made_rows_ += rows;
    return Status();
  }

 private:
  std::unique_ptr<RowSource> source_;
  ImageLayout layout_;
  const uint32_t pad_top_;
  const size_t pixel_bytes_;
  const size_t left_bytes_;
  Buffer rows_;
  Buffer blank_;
  size_t stride_bytes_ = 0;
  Stripe input_;
  uint32_t next_input_row_ = 0;
  uint32_t made_rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowSource>> MakePadStep(std::unique_ptr<RowSource> source, ImageLayout out,
                                               uint32_t pad_left, uint32_t pad_top, Rgba background,
                                               const WorkContext& context) {
  auto step = std::make_unique<PadStep>(std::move(source), std::move(out), pad_left, pad_top);
  PIXPRESS_RETURN_IF_ERROR(step->Init(background, context.meter));
  return std::unique_ptr<RowSource>(std::move(step));
}

}  // namespace pixpress
