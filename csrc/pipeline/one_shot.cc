#include "pipeline/one_shot.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "image/image.h"
#include "pipeline/plan.h"
#include "pipeline/probe.h"
#include "pipeline/run.h"
#include "pipeline/score.h"
#include "pipeline/step_convert.h"

namespace pixpress {
namespace {

// The encoded bytes of a source: read from its file, or borrowed.
struct EncodedInput {
  Buffer owned;
  Bytes bytes;
};

Result<EncodedInput> ReadEncoded(const Source& source, const Limits& limits, Meter& meter) {
  EncodedInput input;
  if (source.kind == Source::Kind::kBytes) {
    input.bytes = source.bytes;
    PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(input.bytes.size(), limits));
    return input;
  }
  PIXPRESS_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(source.name));
  const uint64_t size_bytes = file.identity().size_bytes;
  PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(size_bytes, limits));
  PIXPRESS_ASSIGN_OR_RETURN(input.owned, meter.Allocate(size_bytes));
  PIXPRESS_RETURN_IF_ERROR(file.ReadAt(0, input.owned.span()));
  input.bytes = input.owned.span();
  return input;
}

// What the caller's thread runs on: memory that is given back at once, no stop, no helpers.
class Workplace {
 public:
  Workplace() : pool_(0), meter_(pool_) {}
  Meter& meter() { return meter_; }
  WorkContext context() { return {.meter = meter_, .stop = {}, .parallel = parallel_}; }

 private:
  BufferPool pool_;
  Meter meter_;
  SerialParallel parallel_;
};

// `rows` in the mode that was asked for. Like Pillow's convert(): alpha that is not asked for is
// dropped over black, not blended in.
Result<std::unique_ptr<RowSource>> InMode(std::unique_ptr<RowSource> rows,
                                          const std::optional<PixelMode>& mode,
                                          const WorkContext& context) {
  const ImageLayout& own = rows->layout();
  if (!mode.has_value() || (mode->color == own.color && mode->has_alpha == own.has_alpha)) {
    return rows;
  }
  const ImageLayout asked =
      ImageLayout::Interleaved(own.width, own.height, mode->color, mode->has_alpha, own.bits);
  return MakeConvertStep(std::move(rows), asked, Rgba{0, 0, 0, 255}, context);
}

Status CopyRows(RowSource& rows, uint8_t* out, size_t stride_bytes) {
  const size_t row_bytes = rows.layout().row_bytes(0);
  uint32_t done = 0;
  while (done < rows.layout().height) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(rows.Next(&stripe).At(Stage::kDecode));
    const PlaneRows& plane = stripe.planes[0];
    for (uint32_t y = 0; y < plane.rows; ++y, ++done) {
      std::memcpy(out + done * stride_bytes, plane.row(y), row_bytes);
    }
  }
  return Status();
}

class Reader final : public PixelReader {
 public:
  Status Init(const Source& source, const Limits& limits, const std::optional<PixelMode>& mode,
              bool all_frames) {
    if (source.kind == Source::Kind::kPixels) {  // Of a format that somebody else has decoded.
      PIXPRESS_ASSIGN_OR_RETURN(
          rows_, InMode(MakeBorrowedSource(source.layout, source.bytes.data(), source.stride_bytes,
                                           context_.stop),
                        mode, context_));
      layout_ = rows_->layout();
      return Status();
    }
    PIXPRESS_ASSIGN_OR_RETURN(input_, ReadEncoded(source, limits, workplace_.meter()));
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info,
                              ProbeBytes(input_.bytes, input_.bytes.size(), limits));
    const Codec* codec = FindCodec(info.format);
    mode_ = mode;
    if (all_frames && info.frames > 1 && codec->open_frames != nullptr) {
      return OpenFrames(*codec, info, limits);
    }
    PIXPRESS_ASSIGN_OR_RETURN(rows_, codec->decode(input_.bytes, info, {}, limits, context_));
    PIXPRESS_ASSIGN_OR_RETURN(rows_, InMode(std::move(rows_), mode_, context_));
    layout_ = rows_->layout();
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }
  uint32_t frames() const override { return frames_ == nullptr ? 1 : frames_->info().frames; }

  Status ReadInto(uint8_t* out, size_t stride_bytes) override {
    if (frames_ == nullptr) return CopyRows(*rows_, out, stride_bytes);
    Frame frame;
    PIXPRESS_RETURN_IF_ERROR(frames_->Next(&frame).At(Stage::kDecode));
    if (frame.canvas == nullptr) {
      return Status(StatusCode::kCorruptImage, "the animation ends before its last frame");
    }
    auto rows = MakeBorrowedSource(frame.canvas->layout(), frame.canvas->row(0, 0),
                                   frame.canvas->stride_bytes(0), context_.stop);
    PIXPRESS_ASSIGN_OR_RETURN(rows, InMode(std::move(rows), mode_, context_));
    return CopyRows(*rows, out, stride_bytes);
  }

 private:
  Status OpenFrames(const Codec& codec, const ImageInfo& info, const Limits& limits) {
    PIXPRESS_RETURN_IF_ERROR(CheckFrames(info.frames, info.width, info.height, limits));
    PIXPRESS_ASSIGN_OR_RETURN(frames_, codec.open_frames(input_.bytes, info, limits, context_));
    const PixelMode own = mode_.value_or(PixelMode{ColorModel::kRgb, true});
    layout_ = ImageLayout::Interleaved(info.width, info.height, own.color, own.has_alpha);
    return Status();
  }

  Workplace workplace_;
  const WorkContext context_ = workplace_.context();
  EncodedInput input_;
  std::optional<PixelMode> mode_;
  ImageLayout layout_;
  std::unique_ptr<RowSource> rows_;
  std::unique_ptr<FrameSource> frames_;  // Instead of `rows_`.
};

}  // namespace

Result<ImageInfo> ProbeImage(const Source& source, const Limits& limits) {
  if (source.kind == Source::Kind::kBytes) {
    return ProbeBytes(source.bytes, source.bytes.size(), limits);
  }
  Workplace workplace;
  PIXPRESS_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(source.name));
  const uint64_t size_bytes = file.identity().size_bytes;
  PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(size_bytes, limits));
  const uint64_t head_bytes = std::min(size_bytes, kProbeHeadBytes);
  PIXPRESS_ASSIGN_OR_RETURN(Buffer head, workplace.meter().Allocate(head_bytes));
  PIXPRESS_RETURN_IF_ERROR(file.ReadAt(0, head.span()));
  PIXPRESS_ASSIGN_OR_RETURN(ImageInfo info, ProbeBytes(head.span(), size_bytes, limits));
  if (!info.needs_more_input) return info;
  PIXPRESS_ASSIGN_OR_RETURN(const EncodedInput all, ReadEncoded(source, limits, workplace.meter()));
  return ProbeBytes(all.bytes, size_bytes, limits);
}

Result<std::unique_ptr<PixelReader>> PixelReader::Open(const Source& source, const Limits& limits,
                                                       const std::optional<PixelMode>& mode,
                                                       bool all_frames) {
  auto reader = std::make_unique<Reader>();
  PIXPRESS_RETURN_IF_ERROR(reader->Init(source, limits, mode, all_frames).At(Stage::kDecode));
  return std::unique_ptr<PixelReader>(std::move(reader));
}

Status OneShotJob::Run(const JobSpec& spec) {
  SerialParallel parallel;
  const WorkContext context{.meter = meter_, .stop = {}, .parallel = parallel};
  EncodedInput input;
  ImageInfo info = PixelInfo(spec.source);
  if (spec.source.kind != Source::Kind::kPixels) {
    PIXPRESS_ASSIGN_OR_RETURN(input, ReadEncoded(spec.source, spec.settings->limits, meter_));
    PIXPRESS_ASSIGN_OR_RETURN(info,
                              ProbeBytes(input.bytes, input.bytes.size(), spec.settings->limits));
  }
  PIXPRESS_ASSIGN_OR_RETURN(const Plan plan, MakePlan(spec, info, input.owned.size()));
  PIXPRESS_RETURN_IF_ERROR(RunPlan(spec, plan, input.bytes, context, &result_));
  result_.peak_memory_bytes = meter_.peak_bytes();
  return Status();
}

Status ResizePixels(const ImageLayout& layout, const uint8_t* pixels, size_t stride_bytes,
                    uint32_t width, uint32_t height, Filter filter, bool linear, uint8_t* out,
                    size_t out_stride_bytes) {
  if (width == 0 || height == 0 || layout.width == 0 || layout.height == 0) {
    return Status(StatusCode::kOption, "Expected at least one pixel for each side of a resize");
  }
  Workplace workplace;
  ResizeOptions options;
  options.filter = filter;
  options.channels = layout.planes[0].channels;
  options.bits = layout.bits;
  options.has_alpha = layout.has_alpha;
  options.linear = linear;
  PIXPRESS_ASSIGN_OR_RETURN(
      const auto resizer,
      PlaneResizer::Create(ResizeAxis::Whole(layout.width, width),
                           ResizeAxis::Whole(layout.height, height), options, workplace.meter()));
  uint32_t done = 0;
  for (uint32_t y = 0; y < layout.height && done < height; ++y) {
    const bool is_padded = (layout.height - 1 - y) * stride_bytes >= kRowPadding;
    resizer->PushRow(pixels + y * stride_bytes, is_padded);
    while (resizer->row_ready()) resizer->PopRow(out + done++ * out_stride_bytes);
  }
  return Status();
}

Result<double> ScorePixels(const Source& reference, const Source& distorted) {
  Workplace workplace;
  const WorkContext context = workplace.context();
  const auto rows_of = [&](const Source& source) {
    return MakeBorrowedSource(source.layout, source.bytes.data(), source.stride_bytes,
                              context.stop);
  };
  return ScoreRows(rows_of(reference), rows_of(distorted), context);
}

Status QuantizePixels(const PixelView& pixels, const PaletteOptions& options, uint8_t* indices,
                      std::vector<Rgba>* palette) {
  Workplace workplace;
  const WorkContext context = workplace.context();
  PIXPRESS_ASSIGN_OR_RETURN(*palette, ChoosePalette(pixels, options, context));
  return MapToPalette(pixels, *palette, options, context, indices, pixels.width);
}

}  // namespace pixpress
