#include "pipeline/open_steps.h"

#include <utility>

#include "image/image.h"
#include "pipeline/step_color.h"
#include "pipeline/step_convert.h"
#include "pipeline/step_orient.h"
#include "pipeline/step_pad.h"
#include "pipeline/step_quantize.h"
#include "pipeline/step_resize.h"

namespace pixpress {
namespace {

Result<std::unique_ptr<RowSource>> OpenStep(std::unique_ptr<RowSource> source,
                                            const PlannedStep& step, const Plan& plan,
                                            const Settings& settings, const ColorTransform* color,
                                            const WorkContext& context) {
  switch (step.kind) {
    case StepKind::kOrient:
      return MakeOrientStep(std::move(source), plan.orientation, step.out, context);
    case StepKind::kResize:
      return MakeResizeStep(std::move(source), step.out, plan.geometry,
                            plan.decode.scale_denominator, settings, context);
    case StepKind::kColor:
      return MakeColorStep(std::move(source), step.out, color, context);
    case StepKind::kConvert:
      return MakeConvertStep(std::move(source), step.out, settings.background, context);
    case StepKind::kPad:
      return MakePadStep(std::move(source), step.out, plan.geometry.pad_left, plan.geometry.pad_top,
                         settings.background, context);
    case StepKind::kQuantize:
      return MakeQuantizeStep(std::move(source), settings, context);
  }
  return Status(StatusCode::kInternal, "a plan has a step of no kind");
}

}  // namespace

Result<std::unique_ptr<RowSource>> OpenSource(const JobSpec& spec, const Plan& plan, Bytes encoded,
                                              const WorkContext& context) {
  if (plan.source_codec == nullptr) {
    return MakeBorrowedSource(spec.source.layout, spec.source.bytes.data(),
                              spec.source.stride_bytes, context.stop);
  }
  return plan.source_codec->decode(encoded, plan.info, plan.decode, spec.settings->limits, context);
}

Stage StageOf(const PlannedStep& step) {
  return step.kind == StepKind::kQuantize ? Stage::kQuantize : Stage::kResize;
}

Result<std::unique_ptr<RowSource>> OpenSteps(std::unique_ptr<RowSource> source, const Plan& plan,
                                             const Settings& settings, const ColorTransform* color,
                                             const WorkContext& context) {
  for (const PlannedStep& step : plan.steps) {
    auto next = OpenStep(std::move(source), step, plan, settings, color, context);
    if (!next.ok()) return std::move(next).status().At(StageOf(step));
    source = std::move(next).value();
  }
  return source;
}

}  // namespace pixpress
