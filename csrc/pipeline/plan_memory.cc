#include <algorithm>

#include "base/checked_math.h"
#include "image/image.h"
#include "memory/buffer.h"
#include "pipeline/plan.h"
#include "pipeline/step_color.h"
#include "pipeline/step_orient.h"
#include "pipeline/step_quantize.h"
#include "pipeline/step_resize.h"

namespace pixpress {
namespace {

uint64_t StepMemoryBytes(const PlannedStep& step, const ImageLayout& in, const Plan& plan,
                         const Settings& settings) {
  switch (step.kind) {
    case StepKind::kOrient:
      return OrientMemoryBytes(in);
    case StepKind::kResize:
      return ResizeMemoryBytes(in, step.out, plan.geometry, plan.decode.scale_denominator,
                               settings);
    case StepKind::kColor:
      return ColorMemoryBytes(step.out);
    case StepKind::kConvert:
    case StepKind::kPad:
      return step.out.row_bytes(0) * 64;
    case StepKind::kQuantize:
      return QuantizeMemoryBytes(in);
  }
  return 0;
}

uint64_t DecodeBytes(const Plan& plan) {
  return plan.is_animated ? plan.source_codec->frames_memory_bytes(plan.info)
                          : plan.source_codec->decode_memory_bytes(plan.info, plan.decode);
}

uint64_t EncodeBytes(const Plan& plan, const ImageLayout& layout) {
  if (!plan.is_animated) return plan.output_codec->encode_memory_bytes(layout, plan.encode);
  // The canvas that is handed over to the sink.
  return SaturatingAdd(Image::MemoryBytes(layout),
                       plan.output_codec->animation_memory_bytes(plan.animation, plan.encode));
}

// What is kept of an encode that fits while a better one is looked for. Nothing is looked for
// unless an output is larger than that.
uint64_t KeptBytes(const Plan& plan, uint64_t encode_bytes) {
  if (plan.max_bytes == 0) return 0;
  const uint64_t bytes = std::min(plan.max_bytes, encode_bytes);
  return SaturatingAdd(bytes, bytes / 2 + (64u << 10));  // Chunks grow by half.
}

}  // namespace

uint64_t PlanMemoryBytes(const Plan& plan, const Settings& settings, uint64_t input_bytes,
                         uint64_t encoded_bytes) {
  // A file is read into one buffer, which is rounded up.
  const uint64_t read_bytes = BufferPool::CapacityFor(input_bytes);
  uint64_t bytes = read_bytes;
  if (plan.source_codec != nullptr) bytes = SaturatingAdd(bytes, DecodeBytes(plan));
  const ImageLayout* in = &plan.decoded;
  for (const PlannedStep& step : plan.steps) {
    bytes = SaturatingAdd(bytes, StepMemoryBytes(step, *in, plan, settings));
    in = &step.out;
  }
  const uint64_t encode_bytes = EncodeBytes(plan, *in);
  if (plan.max_bytes != 0) bytes = SaturatingAdd(bytes, Image::MemoryBytes(*in));
  bytes = SaturatingAdd(bytes, SaturatingAdd(encode_bytes, KeptBytes(plan, encode_bytes)));
  if (plan.transcode.has_value()) {
    const uint64_t transcode_bytes =
        plan.source_codec->transcode_memory_bytes(plan.info, *plan.transcode);
    const uint64_t held = SaturatingAdd(transcode_bytes, KeptBytes(plan, transcode_bytes));
    bytes = std::max(bytes, SaturatingAdd(read_bytes, held));
  }
  if (plan.may_keep_original) bytes = SaturatingAdd(bytes, encoded_bytes + (64u << 10));
  return bytes;
}

}  // namespace pixpress
