#include "pipeline/run.h"

#include <cstdio>
#include <limits>
#include <string>
#include <utility>

#include "base/clock.h"
#include "image/image.h"
#include "pipeline/open_steps.h"
#include "pipeline/original.h"
#include "pipeline/output_color.h"
#include "pipeline/post_process.h"
#include "pipeline/run_animation.h"
#include "pipeline/run_auto.h"
#include "pipeline/run_search.h"
#include "pipeline/search.h"
#include "pipeline/timed_source.h"

namespace pixpress {
namespace {

// What the output carries, and the transform of its colors, if it needs one.
struct Prepared {
  Metadata metadata;
  std::unique_ptr<ColorTransform> color;
};

Result<Metadata> SourceMetadata(const JobSpec& spec, const Plan& plan, Bytes encoded) {
  if (plan.source_codec != nullptr) {
    return plan.source_codec->read_metadata(encoded, spec.settings->limits);
  }
  return spec.source.imported == nullptr ? Metadata() : spec.source.imported->metadata;
}

Result<Prepared> Prepare(const JobSpec& spec, const Plan& plan, Bytes encoded, Meter& meter,
                         JobResult* result) {
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, SourceMetadata(spec, plan, encoded));
  if (!metadata.extra_pictures.empty()) {
    result->warnings.push_back(metadata.extra_pictures + " dropped");
  }
  Prepared made;
  made.metadata = ApplyPolicy(std::move(metadata), spec.settings->metadata, plan.orientation != 1);
  made.color = MakeOutputColor(plan, &made.metadata, meter, &result->warnings);
  return made;
}

Status EncodeStill(const JobSpec& spec, const Plan& plan, Bytes encoded, const Prepared& prepared,
                   const WorkContext& context, JobResult* result) {
  const Clock& clock = Clock::System();
  const Settings& settings = *spec.settings;
  int64_t decode_ns = 0;
  int64_t steps_ns = 0;
  const int64_t start_ns = clock.NowNs();
  auto source = OpenSource(spec, plan, encoded, context);
  if (!source.ok()) return std::move(source).status().At(Stage::kDecode);
  std::unique_ptr<RowSource> rows =
      MakeTimedSource(std::move(source).value(), Stage::kDecode, context.progress, &decode_ns);
  PIXPRESS_ASSIGN_OR_RETURN(
      rows, OpenSteps(std::move(rows), plan, settings, prepared.color.get(), context));
  const int64_t opened_ns = clock.NowNs();
  if (!plan.steps.empty()) {
    rows = MakeTimedSource(std::move(rows), StageOf(plan.steps.back()), nullptr, &steps_ns);
  }
  const int64_t decode_opened_ns = decode_ns;
  ByteChain out(context.meter);
  PIXPRESS_RETURN_IF_ERROR(
      plan.output_codec->encode(*rows, plan.encode, prepared.metadata, context, &out)
          .At(Stage::kEncode));
  const int64_t encoded_ns = clock.NowNs() - opened_ns;
  const int64_t pulled_ns = plan.steps.empty() ? decode_ns - decode_opened_ns : steps_ns;
  auto& stage_ns = result->stage_ns;
  stage_ns[static_cast<size_t>(Stage::kDecode)] = decode_ns;
  stage_ns[static_cast<size_t>(Stage::kResize)] = opened_ns - start_ns + pulled_ns - decode_ns;
  stage_ns[static_cast<size_t>(Stage::kEncode)] = encoded_ns - pulled_ns;
  result->data = std::move(out);
  return Status();
}

// The limit to search for. None if the original data fits: what is larger is not kept then.
Result<uint64_t> LimitOf(const JobSpec& spec, const Plan& plan, Bytes encoded,
                         const WorkContext& context) {
  if (plan.max_bytes == 0 || !plan.may_keep_original) return plan.max_bytes;
  PIXPRESS_ASSIGN_OR_RETURN(const auto original,
                            RewriteOriginal(spec, plan, encoded, plan.max_bytes, context));
  return original.has_value() ? 0 : plan.max_bytes;
}

Status Encode(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context,
              JobResult* result) {
  auto prepared = Prepare(spec, plan, encoded, context.meter, result);
  if (!prepared.ok()) return std::move(prepared).status().At(Stage::kDecode);
  const Prepared& made = prepared.value();
  auto limit = LimitOf(spec, plan, encoded, context);
  if (!limit.ok()) return std::move(limit).status().At(Stage::kOptimize);
  const SearchedJob job = {spec,          plan,   encoded, made.metadata, made.color.get(),
                           limit.value(), context};
  if (plan.transcode.has_value()) {
    auto done = TranscodeSearched(job, result);
    if (!done.ok()) return std::move(done).status().At(Stage::kDecode);
    if (done.value()) return Status();
  }
  if (plan.is_animated) {
    return RunAnimation(spec, plan, encoded, made.metadata, made.color.get(), context, result);
  }
  if (plan.info.frames > 1) {
    result->warnings.push_back("only the first of " + std::to_string(plan.info.frames) +
                               " frames was kept");
  }
  if (job.max_bytes != 0 || plan.goal.has_scores()) return EncodeSearched(job, result);
  result->quality = plan.obeys_quality() ? plan.encode.quality : 0;
  return EncodeStill(spec, plan, encoded, made, context, result);
}

bool ScoresTooLittle(const Plan& plan, const JobResult& result) {
  return result.score.has_value() && plan.goal.IsBelowFloor(static_cast<double>(*result.score));
}

// Never worse: where the original image data is an answer, the smaller of the two is, or what
// reaches min_quality.
Status KeepOriginalIfSmaller(const JobSpec& spec, const Plan& plan, Bytes encoded,
                             const WorkContext& context, JobResult* result) {
  // A useless animation was given up.
  const bool is_made = result->data.has_value() && !ScoresTooLittle(plan, *result);
  const uint64_t most_bytes =
      is_made ? result->data->size_bytes() : std::numeric_limits<uint64_t>::max();
  PIXPRESS_ASSIGN_OR_RETURN(auto original,
                            RewriteOriginal(spec, plan, encoded, most_bytes, context));
  if (!original.has_value()) return Status();
  result->data = std::move(original);
  result->quality = 0;
  result->score.reset();
  result->skipped_reason = SkippedReason::kNotSmaller;
  return Status();
}

Status EncodeOrKeep(const JobSpec& spec, const Plan& plan, Bytes encoded,
                    const WorkContext& context, JobResult* result) {
  PIXPRESS_RETURN_IF_ERROR(Encode(spec, plan, encoded, context, result));
  PIXPRESS_RETURN_IF_ERROR(PostProcess(spec, plan, context, result).At(Stage::kOptimize));
  if (!plan.may_keep_original) return Status();
  return KeepOriginalIfSmaller(spec, plan, encoded, context, result).At(Stage::kOptimize);
}

// Once more, through pixels, with what can be decoded. Nothing of the source's coded data is an
// answer then. Holds no more than the plan says, for that counts the way through pixels.
Status EncodeSalvaged(const JobSpec& spec, Plan plan, Bytes encoded, const Status& damage,
                      WorkContext context, JobResult* result) {
  Salvage salvage;
  context.salvage = &salvage;
  plan.may_keep_original = false;
  plan.transcode.reset();
  result->data.reset();
  result->warnings.clear();
  PIXPRESS_RETURN_IF_ERROR(Encode(spec, plan, encoded, context, result));
  PIXPRESS_RETURN_IF_ERROR(PostProcess(spec, plan, context, result).At(Stage::kOptimize));
  const std::string decoded = salvage.text().empty() ? "" : "; " + salvage.text();
  result->warnings.push_back("salvaged from damaged data: " + damage.message() + decoded);
  result->is_salvaged = true;
  return Status();
}

// Fails if the floor was not reached, warns if the target was not.
Status CheckScore(const Plan& plan, JobResult* result) {
  if (!result->score.has_value()) return Status();
  char score[32];
  std::snprintf(score, sizeof(score), "%.2f", static_cast<double>(*result->score));
  const std::string at = "quality " + std::to_string(result->quality) + " scores " + score;
  if (ScoresTooLittle(plan, *result)) {
    return Status(StatusCode::kLimitExceeded,
                  "min_quality is " + std::to_string(plan.goal.floor) + ", and " + at);
  }
  if (*result->score < plan.goal.target - ScoreGoal::kTolerance) {
    result->warnings.push_back("the target was not reached: " + at);
  }
  return Status();
}

// What PNG keeps of stills, and of frames does not.
void WarnOfDepth(const Plan& plan, JobResult* result) {
  const bool is_new = result->skipped_reason == SkippedReason::kNone;
  const bool is_png = plan.output_codec->format == Format::kPng;
  if (!plan.is_animated || !is_png || !is_new || plan.info.bits <= 8) return;
  result->warnings.push_back("frames of " + std::to_string(plan.info.bits) +
                             " bits were narrowed to 8");
}

uint64_t OriginalBytes(const JobSpec& spec, const Plan& plan, Bytes encoded) {
  if (plan.source_codec != nullptr) return encoded.size();
  return spec.source.imported == nullptr ? spec.source.layout.total_bytes()
                                         : spec.source.imported->encoded_bytes;
}

}  // namespace

Status RunPlan(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context,
               JobResult* result) {
  if (!plan.candidates.empty()) return RunAuto(spec, plan, encoded, context, result);
  Status status = EncodeOrKeep(spec, plan, encoded, context, result);
  const bool salvages = spec.settings->on_damage == OnDamage::kSalvage;
  if (status.code() == StatusCode::kCorruptImage && salvages && plan.source_codec != nullptr) {
    status = EncodeSalvaged(spec, plan, encoded, status, context, result);
  }
  PIXPRESS_RETURN_IF_ERROR(status);
  PIXPRESS_RETURN_IF_ERROR(
      CheckMaxBytes(result->data->size_bytes(), spec.settings->max_bytes).At(Stage::kEncode));
  PIXPRESS_RETURN_IF_ERROR(CheckScore(plan, result).At(Stage::kEncode));
  WarnOfDepth(plan, result);
  result->format = plan.output_codec->format;
  result->width = plan.geometry.width;
  result->height = plan.geometry.height;
  result->original_bytes = OriginalBytes(spec, plan, encoded);
  result->compressed_bytes = result->data->size_bytes();
  result->estimated_memory_bytes = plan.memory_bytes;
  return Status();
}

}  // namespace pixpress
