#include "pipeline/post_process.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "base/clock.h"
#include "codecs/jpeg/encode.h"
#include "image/image.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

constexpr int kMostEffort = 10;

// Whatever the codec is about, the job is optimizing.
class OptimizeProgress final : public ProgressSink {
 public:
  explicit OptimizeProgress(ProgressSink* to) : to_(to) {}
  void Report(Stage, double fraction) override {
    if (to_ != nullptr) to_->Report(Stage::kOptimize, fraction);
  }

 private:
  ProgressSink* const to_;
};

bool HasPass(const Plan& plan, const Settings& settings) {
  const Format format = plan.output_codec->format;
  return settings.post_process && settings.effort < kMostEffort && !plan.is_animated &&
         (format == Format::kJpeg || format == Format::kPng);
}

EncodeOptions PassOptions(const Plan& plan, const ImageInfo& info) {
  EncodeOptions options = plan.encode;
  options.effort = kMostEffort;
  options.expert = {};
  if (info.format != Format::kJpeg) return options;
  options.quality = 100;  // No step becomes finer, so that none changes.
  options.chroma_h = info.planar.max_h_samples();
  options.chroma_v = info.planar.max_v_samples();
  return options;
}

// The output as far as the plan knows it, of the kind that takes most.
ImageInfo OutputInfo(const Plan& plan) {
  const ImageLayout& layout = plan.encoded_layout();
  const bool is_indexed = layout.color == ColorModel::kIndexed;
  ImageInfo info;
  info.format = plan.output_codec->format;
  info.width = plan.geometry.width;
  info.height = plan.geometry.height;
  info.color = is_indexed ? ColorModel::kRgb : layout.color;
  info.has_alpha = is_indexed || layout.has_alpha;
  info.bits = layout.bits;
  return info;
}

// The same of JPEG, with these components. Coded data that becomes the output does not grow but for
// the tables; what is made of pixels has a bound of its own.
ImageInfo JpegOutputInfo(const Plan& plan, const ImageLayout& planar) {
  constexpr uint64_t kHeadBytes = 192 << 10;
  ImageInfo info = OutputInfo(plan);
  info.planar = planar;
  info.is_progressive = WantsProgressiveJpeg(plan.encode);
  info.encoded_bytes = JpegOutputBytes(planar, plan.encode);
  if (!plan.transcode.has_value()) return info;
  info.is_progressive |= WantsProgressiveJpeg(*plan.transcode);
  const uint64_t source_bytes = plan.info.encoded_bytes;
  if (source_bytes != 0 && plan.transcode->effort > 1) {
    info.encoded_bytes = std::min(info.encoded_bytes, source_bytes + source_bytes / 8 + kHeadBytes);
  }
  return info;
}

// The pass over JPEG holds its input beside what the codec does, whatever the sampling is.
uint64_t JpegPassBytes(const Plan& plan) {
  const Codec& codec = *plan.output_codec;
  const uint32_t width = plan.geometry.width, height = plan.geometry.height;
  std::vector<ImageLayout> samplings;
  if (plan.encoded_layout().color == ColorModel::kGray) {
    samplings = {plan.encoded_layout()};
  } else {
    // A search may coarsen chroma, one for a score refine it too.
    const bool is_fixed = !plan.is_searched() && !plan.transcode.has_value();
    const bool is_fine = plan.goal.has_scores();
    samplings = {ImageLayout::Ycbcr(width, height, is_fine ? 1 : plan.encode.chroma_h,
                                    is_fine ? 1 : plan.encode.chroma_v)};
    if (!is_fixed) samplings.push_back(ImageLayout::Ycbcr(width, height, 2, 2));
  }
  if (plan.transcode.has_value()) samplings.push_back(plan.info.planar);
  uint64_t most_bytes = 0;
  for (const ImageLayout& planar : samplings) {
    const ImageInfo info = JpegOutputInfo(plan, planar);
    const uint64_t bytes = codec.transcode_memory_bytes(info, PassOptions(plan, info));
    most_bytes =
        std::max(most_bytes, SaturatingAdd(bytes, BufferPool::CapacityFor(info.encoded_bytes)));
  }
  return most_bytes;
}

// False if there is no pass for this image.
Result<bool> Recode(Bytes encoded, const Plan& plan, const WorkContext& context, ByteChain* out) {
  const Codec& codec = *plan.output_codec;
  PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, codec.probe(encoded, encoded.size(), kNoLimits));
  PIXPRESS_ASSIGN_OR_RETURN(const Metadata metadata, codec.read_metadata(encoded, kNoLimits));
  const EncodeOptions options = PassOptions(plan, info);
  if (codec.transcode != nullptr) {
    if (!codec.can_transcode(info, options)) return false;
    return codec.transcode(encoded, info, options, kNoLimits, metadata, context, out);
  }
  PIXPRESS_ASSIGN_OR_RETURN(const auto rows, codec.decode(encoded, info, {}, kNoLimits, context));
  PIXPRESS_RETURN_IF_ERROR(codec.encode(*rows, options, metadata, context, out));
  return true;
}

}  // namespace

uint64_t PostProcessMemoryBytes(const Plan& plan, const Settings& settings) {
  if (!HasPass(plan, settings)) return 0;
  const Codec& codec = *plan.output_codec;
  if (codec.transcode_memory_bytes != nullptr) return JpegPassBytes(plan);
  const ImageInfo info = OutputInfo(plan);
  const EncodeOptions options = PassOptions(plan, info);
  const ImageLayout decoded = codec.decoded_layout(info, {});
  const uint64_t encode_bytes = codec.encode_memory_bytes(decoded, options);
  return SaturatingAdd(codec.decode_memory_bytes(info, {}),
                       SaturatingAdd(encode_bytes, encode_bytes));
}

Status PostProcess(const JobSpec& spec, const Plan& plan, const WorkContext& context,
                   JobResult* result) {
  if (!HasPass(plan, *spec.settings) || !result->data.has_value()) return Status();
  const int64_t start_ns = Clock::System().NowNs();
  PIXPRESS_ASSIGN_OR_RETURN(Buffer encoded, context.meter.Allocate(result->data->size_bytes()));
  result->data->CopyTo(encoded.data());
  result->data.reset();
  OptimizeProgress progress(context.progress);
  progress.Report(Stage::kOptimize, 0);
  WorkContext own = context;
  own.progress = &progress;
  ByteChain out(context.meter);
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_done, Recode(encoded.span(), plan, own, &out));
  if (!is_done || out.size_bytes() >= encoded.size()) {
    out.Clear();
    PIXPRESS_RETURN_IF_ERROR(out.Append(encoded.span()));
  }
  result->data = std::move(out);
  result->stage_ns[static_cast<size_t>(Stage::kOptimize)] = Clock::System().NowNs() - start_ns;
  return Status();
}

}  // namespace pixpress
