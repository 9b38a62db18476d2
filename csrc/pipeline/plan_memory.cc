#include <algorithm>

#include "base/checked_math.h"
#include "codecs/jpeg/encode.h"
#include "image/image.h"
#include "memory/buffer.h"
#include "pipeline/encode_options.h"
#include "pipeline/plan.h"
#include "pipeline/post_process.h"
#include "pipeline/score.h"
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

uint64_t EncodeBytes(const Plan& plan, const EncodeOptions& options, const ImageLayout& layout) {
  if (!plan.is_animated) return plan.output_codec->encode_memory_bytes(layout, options);
  // The canvas that is handed over to the sink.
  return SaturatingAdd(Image::MemoryBytes(layout),
                       plan.output_codec->animation_memory_bytes(plan.animation, options));
}

// What is kept of an encode while a better one is looked for. Chunks grow by half.
uint64_t KeptBytes(const Plan& plan, uint64_t encode_bytes) {
  if (!plan.is_searched()) return 0;
  const uint64_t most_bytes =
      std::max(plan.max_bytes, plan.goal.has_scores() ? plan.goal.keep_bytes : 0);
  const uint64_t bytes = std::min(most_bytes, encode_bytes);
  return SaturatingAdd(bytes, bytes / 2 + (64u << 10));
}

// What the header of the output will say, as far as it matters for decoding it.
ImageInfo OutputInfo(const Plan& plan, const ImageLayout& layout) {
  ImageInfo info;
  info.format = plan.output_codec->format;
  info.width = layout.width;
  info.height = layout.height;
  info.color = layout.color == ColorModel::kGray ? ColorModel::kGray : ColorModel::kRgb;
  info.has_alpha = layout.has_alpha;
  info.bits = layout.bits;
  info.is_lossless = false;
  info.is_progressive = WantsProgressiveJpeg(plan.transcode.value_or(plan.encode));
  return info;
}

// What scoring an output takes, which is when its encoder is gone: the output, a copy in one piece,
// its decoder, and the metric. Outputs are not much larger than pixels.
uint64_t ScoringBytes(const Plan& plan, const ImageLayout& layout, uint64_t encode_bytes) {
  if (!plan.goal.has_scores()) return 0;
  const uint64_t pixel_bytes = layout.total_bytes();
  const uint64_t most_bytes =
      std::min(SaturatingAdd(pixel_bytes, pixel_bytes / 4 + (64u << 10)), encode_bytes);
  const uint64_t held = SaturatingAdd(SaturatingMul(most_bytes, 3), 64u << 10);
  const uint64_t decode_bytes =
      plan.output_codec->decode_memory_bytes(OutputInfo(plan, layout), DecodeOptions());
  return SaturatingAdd(SaturatingAdd(held, decode_bytes),
                       ScoreMemoryBytes(layout.width, layout.height));
}

// With the score in view any quality may be tried, else none above the asked one.
EncodeOptions Finest(const Plan& plan, const EncodeOptions& options, const Settings& settings) {
  return plan.goal.has_scores() ? WithQuality(options, 100, settings, plan.info) : options;
}

// Encode, or encode and score by turns.
uint64_t SearchBytes(const Plan& plan, const ImageLayout& layout, const Settings& settings) {
  const uint64_t encode_bytes = EncodeBytes(plan, Finest(plan, plan.encode, settings), layout);
  return SaturatingAdd(std::max(encode_bytes, ScoringBytes(plan, layout, encode_bytes)),
                       KeptBytes(plan, encode_bytes));
}

// The same from coded data. Coarse chroma takes more than fine one where it has to be made.
uint64_t TranscodeBytes(const Plan& plan, const ImageLayout& layout, const Settings& settings) {
  const Codec& codec = *plan.source_codec;
  const EncodeOptions& options = *plan.transcode;
  uint64_t bytes = codec.transcode_memory_bytes(plan.info, Finest(plan, options, settings));
  if (plan.is_searched()) {
    const EncodeOptions coarsest = WithQuality(options, 1, settings, plan.info);
    bytes = std::max(bytes, codec.transcode_memory_bytes(plan.info, coarsest));
  }
  uint64_t scoring_bytes = ScoringBytes(plan, layout, bytes);
  if (scoring_bytes != 0) {
    scoring_bytes = SaturatingAdd(scoring_bytes, codec.decode_memory_bytes(plan.info, {}));
  }
  return SaturatingAdd(std::max(bytes, scoring_bytes), KeptBytes(plan, bytes));
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
  if (plan.is_searched()) bytes = SaturatingAdd(bytes, Image::MemoryBytes(*in));
  bytes = SaturatingAdd(bytes, SearchBytes(plan, *in, settings));
  if (plan.transcode.has_value()) {
    const uint64_t transcode_bytes = TranscodeBytes(plan, *in, settings);
    bytes = std::max(bytes, SaturatingAdd(read_bytes, transcode_bytes));
  }
  bytes = std::max(bytes, SaturatingAdd(read_bytes, PostProcessMemoryBytes(plan, settings)));
  if (plan.may_keep_original) bytes = SaturatingAdd(bytes, encoded_bytes + (64u << 10));
  return bytes;
}

}  // namespace pixpress
