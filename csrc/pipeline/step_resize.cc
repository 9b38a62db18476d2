#include "pipeline/step_resize.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked_math.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

// Output rows that are gathered before the next step sees them.
constexpr uint32_t kStripeRows = 16;

struct PlaneAxes {
  ResizeAxis x;
  ResizeAxis y;
};

ResizeAxis MakeAxis(uint32_t in_size, uint32_t out_size, double crop, double crop_size,
                    uint32_t resized, double in_samples_per_px, double out_px_per_sample) {
  ResizeAxis axis;
  axis.in_size = in_size;
  axis.out_size = out_size;
  axis.scale = out_px_per_sample * (crop_size / resized) * in_samples_per_px;
  axis.offset = crop * in_samples_per_px;
  return axis;
}

PlaneAxes MakeAxes(const ImageLayout& in, const ImageLayout& out, size_t plane,
                   const Geometry& geometry, uint8_t denominator) {
  const PlaneLayout& from = in.planes[plane];
  const PlaneLayout& to = out.planes[plane];
  const double in_h = static_cast<double>(from.h_samples) / in.max_h_samples() / denominator;
  const double in_v = static_cast<double>(from.v_samples) / in.max_v_samples() / denominator;
  const double out_h = static_cast<double>(out.max_h_samples()) / to.h_samples;
  const double out_v = static_cast<double>(out.max_v_samples()) / to.v_samples;
  return {MakeAxis(from.width, to.width, geometry.crop_x, geometry.crop_width,
                   geometry.resized_width, in_h, out_h),
          MakeAxis(from.height, to.height, geometry.crop_y, geometry.crop_height,
                   geometry.resized_height, in_v, out_v)};
}

ResizeOptions MakeOptions(const ImageLayout& in, size_t plane, const Geometry& geometry,
                          uint8_t denominator, const Settings& settings) {
  ResizeOptions options;
  const bool only_resamples = denominator == 1 && geometry.crop_width == geometry.resized_width &&
                              geometry.crop_height == geometry.resized_height;
  // Chroma that only changes its sampling is averaged, as every JPEG encoder does.
  options.filter = only_resamples ? Filter::kBox : settings.resample;
  options.channels = in.planes[plane].channels;
  options.bits = in.bits;
  options.has_alpha = in.has_alpha;
  options.linear = settings.linear && in.color != ColorModel::kYCbCr;
  return options;
}

class ResizeStep final : public RowSource {
 public:
  ResizeStep(std::unique_ptr<RowSource> source, ImageLayout out)
      : source_(std::move(source)), layout_(std::move(out)) {}

  Status Init(const Geometry& geometry, uint8_t denominator, const Settings& settings,
              Meter& meter) {
    const ImageLayout& in = source_->layout();
    for (size_t p = 0; p < layout_.plane_count; ++p) {
      Plane& plane = planes_[p];
      const PlaneAxes axes = MakeAxes(in, layout_, p, geometry, denominator);
      const ResizeOptions options = MakeOptions(in, p, geometry, denominator, settings);
      const PlaneResizer* const like = p > 0 ? planes_[p - 1].resizer.get() : nullptr;
      PIXPRESS_ASSIGN_OR_RETURN(plane.resizer,
                                PlaneResizer::Create(axes.x, axes.y, options, meter, like));
      plane.stride_bytes = RoundUpTo<size_t>(layout_.row_bytes(p), 64);
      PIXPRESS_ASSIGN_OR_RETURN(plane.rows, meter.Allocate(plane.stride_bytes * kStripeRows));
    }
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }

  // Yields whatever rows are ready: at least one row of some plane.
  Status Next(Stripe* stripe) override {
    *stripe = Stripe();
    while (true) {
      bool any = false;
      for (size_t p = 0; p < layout_.plane_count; ++p) any |= Fill(p, stripe);
      if (any) return Status();
      PIXPRESS_RETURN_IF_ERROR(source_->Next(&input_));
      for (Plane& plane : planes_) plane.next_input_row = 0;
    }
  }

 private:
  struct Plane {
    std::unique_ptr<PlaneResizer> resizer;
    Buffer rows;
    size_t stride_bytes = 0;
    uint32_t next_input_row = 0;  // In input_.
    uint32_t made_rows = 0;
  };

  // Push the plane's rows of the current input stripe and pop output rows, up to a stripe's worth.
  bool Fill(size_t p, Stripe* stripe) {
    Plane& plane = planes_[p];
    const PlaneRows& input = input_.planes[p];
    uint32_t ready = 0;
    while (ready < kStripeRows) {
      if (plane.resizer->row_ready()) {
        plane.resizer->PopRow(plane.rows.data() + ready * plane.stride_bytes);
        ++ready;
      } else if (plane.next_input_row < input.rows) {
        plane.resizer->PushRow(input.row(plane.next_input_row++), /*stays=*/false);
      } else {
        break;
      }
    }
    stripe->planes[p] = {plane.rows.data(), plane.stride_bytes, plane.made_rows, ready};
    plane.made_rows += ready;
    return ready > 0;
  }

  std::unique_ptr<RowSource> source_;
  ImageLayout layout_;
  Stripe input_;
  std::array<Plane, 3> planes_;
};

}  // namespace

Result<std::unique_ptr<RowSource>> MakeResizeStep(std::unique_ptr<RowSource> source,
                                                  ImageLayout out, const Geometry& geometry,
                                                  uint8_t scale_denominator,
                                                  const Settings& settings,
                                                  const WorkContext& context) {
  auto step = std::make_unique<ResizeStep>(std::move(source), std::move(out));
  PIXPRESS_RETURN_IF_ERROR(step->Init(geometry, scale_denominator, settings, context.meter));
  return std::unique_ptr<RowSource>(std::move(step));
}

uint64_t ResizeMemoryBytes(const ImageLayout& in, const ImageLayout& out, const Geometry& geometry,
                           uint8_t scale_denominator, const Settings& settings) {
  uint64_t bytes = 0;
  for (size_t p = 0; p < out.plane_count; ++p) {
    const PlaneAxes axes = MakeAxes(in, out, p, geometry, scale_denominator);
    const ResizeOptions options = MakeOptions(in, p, geometry, scale_denominator, settings);
    bytes = SaturatingAdd(bytes, PlaneResizer::MemoryBytes(axes.x, axes.y, options));
    bytes = SaturatingAdd(bytes, RoundUpTo<size_t>(out.row_bytes(p), 64) * kStripeRows + 4096);
  }
  return bytes;
}

}  // namespace pixpress
