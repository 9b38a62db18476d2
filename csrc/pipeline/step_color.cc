#include "pipeline/step_color.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "memory/buffer.h"
#include "pipeline/step_convert.h"

namespace pixpress {
namespace {

constexpr uint32_t kStripeRows = 16;

class ColorStep final : public RowSource {
 public:
  ColorStep(std::unique_ptr<RowSource> source, ImageLayout out, const ColorTransform& transform)
      : source_(std::move(source)), layout_(std::move(out)), transform_(transform) {}

  Status Init(Meter& meter) {
    stride_bytes_ = RoundUpTo<size_t>(layout_.row_bytes(0), 64);
    PIXPRESS_ASSIGN_OR_RETURN(rows_, meter.Allocate(stride_bytes_ * kStripeRows));
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }

  Status Next(Stripe* stripe) override {
    if (next_input_row_ == input_.planes[0].rows) {
      PIXPRESS_RETURN_IF_ERROR(source_->Next(&input_));
      next_input_row_ = 0;
    }
    const PlaneRows& input = input_.planes[0];
    const uint32_t rows = std::min(kStripeRows, input.rows - next_input_row_);
    for (uint32_t y = 0; y < rows; ++y) {
      transform_.ConvertRow(input.row(next_input_row_ + y), layout_.width,
                            rows_.data() + y * stride_bytes_);
    }
    next_input_row_ += rows;
    *stripe = Stripe();
    stripe->planes[0] = {rows_.data(), stride_bytes_, made_rows_, rows};
    made_rows_ += rows;
    return Status();
  }

 private:
  std::unique_ptr<RowSource> source_;
  const ImageLayout layout_;
  const ColorTransform& transform_;
  Stripe input_;
  uint32_t next_input_row_ = 0;
  uint32_t made_rows_ = 0;
  Buffer rows_;
  size_t stride_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowSource>> MakeColorStep(std::unique_ptr<RowSource> source, ImageLayout out,
                                                 const ColorTransform* transform,
                                                 const WorkContext& context) {
  if (transform == nullptr) {
    if (source->layout().color == out.color) return source;
    return MakeConvertStep(std::move(source), std::move(out), Rgba(), context);
  }
  auto step = std::make_unique<ColorStep>(std::move(source), std::move(out), *transform);
  PIXPRESS_RETURN_IF_ERROR(step->Init(context.meter));
  return std::unique_ptr<RowSource>(std::move(step));
}

uint64_t ColorMemoryBytes(const ImageLayout& out) {
  // As many bytes as the convert step that may be in its place.
  return kColorTransformBytes + out.row_bytes(0) * 64;
}

}  // namespace pixpress
