#include "pipeline/run_animation.h"

#include <memory>
#include <utility>

#include "base/clock.h"
#include "image/frame.h"
#include "image/image.h"
#include "pipeline/open_steps.h"

namespace pixpress {
namespace {

// Adds the time since the last call to a stage.
class StageTimer {
 public:
  explicit StageTimer(JobResult* result) : result_(result) {}
  void Charge(Stage stage) {
    const int64_t now_ns = Clock::System().NowNs();
    result_->stage_ns[static_cast<size_t>(stage)] += now_ns - last_ns_;
    last_ns_ = now_ns;
  }

 private:
  JobResult* const result_;
  int64_t last_ns_ = Clock::System().NowNs();
};

Result<Image> RunSteps(const Image& canvas, const Plan& plan, const Settings& settings,
                       const ColorTransform* color, const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(const auto rows,
                            OpenSteps(MakeBorrowedSource(canvas.layout(), canvas.row(0, 0),
                                                         canvas.stride_bytes(0), context.stop),
                                      plan, settings, color, context));
  return CollectRows(*rows, context);
}

void Report(const Plan& plan, uint32_t done, const WorkContext& context) {
  if (context.progress == nullptr) return;
  context.progress->Report(Stage::kEncode, double{1} * done / plan.animation.frames);
}

// The next of `frames` frames; `done` were given before.
Status NextFrame(FrameSource& source, uint32_t frames, uint32_t done, Frame* frame) {
  PIXPRESS_RETURN_IF_ERROR(source.Next(frame).At(Stage::kDecode));
  if (frame->canvas != nullptr) return Status();
  return Status(StatusCode::kCorruptImage, "the animation has " + std::to_string(done) +
                                               " frames instead of " + std::to_string(frames))
      .At(Stage::kDecode);
}

// Each frame through the steps, from the source to the sink. The frames behind a useless output are
// still decoded: damage is an error, whatever is kept.
Status PassFrames(const Plan& plan, const Settings& settings, const ColorTransform* color,
                  FrameSource& frames, FrameSink& sink, const ByteChain& out,
                  const WorkContext& context, StageTimer* timer) {
  // The steps of a frame report fractions of that frame only.
  WorkContext quiet = context;
  quiet.progress = nullptr;
  uint32_t done = 0;
  for (; done < plan.animation.frames; ++done) {
    Frame frame;
    const Status status = NextFrame(frames, plan.animation.frames, done, &frame);
    timer->Charge(Stage::kDecode);
    // What is damaged ends the animation, but for the first frame, of which a part is enough.
    const bool is_damaged = status.code() == StatusCode::kCorruptImage;
    if (is_damaged && context.salvage != nullptr && done > 0) break;
    PIXPRESS_RETURN_IF_ERROR(status);
    if (out.size_bytes() > plan.animation.useful_bytes) continue;
    Image stepped;
    if (!plan.steps.empty()) {
      PIXPRESS_ASSIGN_OR_RETURN(stepped, RunSteps(*frame.canvas, plan, settings, color, quiet));
    }
    timer->Charge(Stage::kResize);
    Status added = plan.steps.empty() && frame.changed.has_value()
                       ? sink.AddChanged(*frame.canvas, frame.duration, *frame.changed)
                       : sink.Add(plan.steps.empty() ? *frame.canvas : stepped, frame.duration);
    PIXPRESS_RETURN_IF_ERROR(std::move(added).At(Stage::kEncode));
    timer->Charge(Stage::kEncode);
    Report(plan, done + 1, context);
  }
  if (context.salvage != nullptr) {
    context.salvage->Note(std::to_string(done) + " of " + std::to_string(plan.animation.frames) +
                          " frames were decoded");
  }
  return Status();
}

// `noisy_frames` says whether another go is worth it that has it set.
Status RunOnce(const JobSpec& spec, const Plan& plan, Bytes encoded, const Metadata& metadata,
               const ColorTransform* color, const WorkContext& context, StageTimer* timer,
               bool* noisy_frames, JobResult* result) {
  Salvage salvage;  // What the first go has to say is said once more.
  WorkContext heard = context;
  if (context.salvage != nullptr) heard.salvage = &salvage;
  WorkContext quiet = heard;
  quiet.progress = nullptr;
  auto frames = plan.source_codec->open_frames(encoded, plan.info, spec.settings->limits, quiet);
  if (!frames.ok()) return std::move(frames).status().At(Stage::kDecode);
  ByteChain out(context.meter);
  EncodeOptions options = plan.encode;
  options.noisy_frames = *noisy_frames;
  auto sink = plan.output_codec->start_animation(plan.animation, options, metadata, quiet, &out);
  if (!sink.ok()) return std::move(sink).status().At(Stage::kEncode);
  Status status =
      PassFrames(plan, *spec.settings, color, *frames.value(), *sink.value(), out, heard, timer);
  const bool is_useless = out.size_bytes() > plan.animation.useful_bytes;
  if (status.ok() && !is_useless) status = sink.value()->Finish().At(Stage::kEncode);
  timer->Charge(Stage::kEncode);
  *noisy_frames = !status.ok() && sink.value()->may_be_too_noisy();
  if (status.ok() && !salvage.text().empty()) context.salvage->Note(salvage.text());
  if (status.ok() && !is_useless) result->data = std::move(out);
  return status;
}

}  // namespace

Status RunAnimation(const JobSpec& spec, const Plan& plan, Bytes encoded, const Metadata& metadata,
                    const ColorTransform* color, const WorkContext& context, JobResult* result) {
  StageTimer timer(result);
  bool noisy_frames = false;
  Status status =
      RunOnce(spec, plan, encoded, metadata, color, context, &timer, &noisy_frames, result);
  if (!noisy_frames) return status;
  return RunOnce(spec, plan, encoded, metadata, color, context, &timer, &noisy_frames, result);
}

}  // namespace pixpress
