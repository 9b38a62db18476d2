#include "pipeline/run_auto.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pipeline/content.h"
#include "pipeline/open_steps.h"
#include "pipeline/original.h"
#include "pipeline/run.h"
#include "pipeline/typical_score.h"

namespace pixpress {
namespace {

using Order = std::vector<const Candidate*>;

// An output that fails for these reasons is no answer, but another one may be.
bool IsNoAnswer(const Status& status) {
  return status.code() == StatusCode::kLimitExceeded || status.code() == StatusCode::kOption;
}

class AutoRun {
 public:
  AutoRun(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context)
      : spec_(spec), plan_(plan), encoded_(encoded), context_(context) {}

  Status Run(JobResult* result) {
    if (plan_.candidates.front().plan.is_animated) {
      for (const Candidate& candidate : plan_.candidates) PIXPRESS_RETURN_IF_ERROR(Try(candidate));
    } else {
      PIXPRESS_RETURN_IF_ERROR(TryStills());
    }
    if (!best_.has_value()) return std::move(failure_);
    if (!best_->is_salvaged) PIXPRESS_RETURN_IF_ERROR(KeepOriginalIfBetter().At(Stage::kOptimize));
    best_->stage_ns = stage_ns_;
    best_->estimated_memory_bytes = plan_.memory_bytes;
    *result = std::move(*best_);
    return Status();
  }

 private:
  Status TryStills() {
    Content content = {.is_opaque = !Png().plan.encoded_layout().has_alpha};
    // What was made with loss has noise that no lossless format makes small.
    if (plan_.info.is_lossless && !spec_.settings->lossless) {
      PIXPRESS_ASSIGN_OR_RETURN(content, Look());
    }
    for (const Candidate* candidate : FirstChoice(content)) {
      PIXPRESS_RETURN_IF_ERROR(Try(*candidate));
    }
    if (best_.has_value() && ReachesGoal(*best_)) return Status();
    for (const Candidate& candidate : plan_.candidates) {
      if (candidate.is_lossless && !WasTried(candidate)) PIXPRESS_RETURN_IF_ERROR(Try(candidate));
    }
    return Status();
  }

  const Candidate& Png() const {
    return *std::find_if(plan_.candidates.begin(), plan_.candidates.end(),
                         [](const Candidate& candidate) {
                           return candidate.plan.output_codec->format == Format::kPng;
                         });
  }

  // The pixels as PNG would have them.
  Result<Content> Look() {
    const int64_t start_ns = Clock::System().NowNs();
    const Candidate& png = Png();
    Salvage salvage;
    WorkContext looking = context_;
    looking.progress = nullptr;
    if (spec_.settings->on_damage == OnDamage::kSalvage) looking.salvage = &salvage;
    auto rows = OpenSource(spec_, png.plan, encoded_, looking);
    if (!rows.ok()) return std::move(rows).status().At(Stage::kDecode);
    PIXPRESS_ASSIGN_OR_RETURN(const auto made, OpenSteps(std::move(rows).value(), png.plan,
                                                         *png.settings, nullptr, looking));
    auto content = ReadContent(*made);
    if (!content.ok()) return std::move(content).status().At(Stage::kDecode);
    stage_ns_[static_cast<size_t>(Stage::kDecode)] += Clock::System().NowNs() - start_ns;
    return content;
  }

  // JPEG is for photographs, lossless formats are for graphics; AVIF and lossy WebP do both.
  Order FirstChoice(const Content& content) const {
    Order order;
    for (const Candidate& candidate : plan_.candidates) {
      const bool is_jpeg = candidate.plan.output_codec->format == Format::kJpeg;
      if (is_jpeg && (content.is_graphic || !content.is_opaque)) continue;
      if (candidate.is_lossless && !content.is_graphic) continue;
      order.push_back(&candidate);
    }
    return order;
  }

  bool WasTried(const Candidate& candidate) const {
    return std::find(tried_.begin(), tried_.end(), &candidate) != tried_.end();
  }

  Status Try(const Candidate& candidate) {
    tried_.push_back(&candidate);
    JobSpec spec = spec_;
    spec.settings = candidate.settings;
    Plan plan = candidate.plan;
    AimAtBest(&plan.goal);
    JobResult made;
    Status status = RunPlan(spec, plan, encoded_, context_, &made);
    for (size_t i = 0; i < stage_ns_.size(); ++i) stage_ns_[i] += made.stage_ns[i];
    if (!status.ok()) {
      if (!IsNoAnswer(status)) return status;
      if (failure_.ok()) failure_ = std::move(status);
      return Status();
    }
    goal_ = std::max(goal_, candidate.plan.goal.target);
    if (!best_.has_value() || IsBetter(made, *best_)) best_ = std::move(made);
    return Status();
  }

  // What was learnt until now: which size is to be beaten, and how hard the image is.
  void AimAtBest(ScoreGoal* goal) const {
    if (!goal->has_scores() || !best_.has_value() || !ReachesGoal(*best_)) return;
    goal->useless_bytes = best_->compressed_bytes;
    if (!best_->score.has_value() || best_->quality == 0) return;
    const double error = 100 - static_cast<double>(*best_->score);
    goal->difficulty = error / (100 - TypicalScore(best_->format, best_->quality));
  }

  bool ReachesGoal(const JobResult& made) const {
    return !made.score.has_value() ||
           *made.score >= goal_ - static_cast<float>(ScoreGoal::kTolerance);
  }

  bool IsBetter(const JobResult& made, const JobResult& than) const {
    const bool reaches = ReachesGoal(made);
    if (reaches != ReachesGoal(than)) return reaches;
    if (!reaches) return *made.score > *than.score;
    return made.compressed_bytes < than.compressed_bytes;
  }

  // Never worse, also where no candidate of the source's format suited its pixels.
  Status KeepOriginalIfBetter() {
    const auto own =
        std::find_if(plan_.candidates.begin(), plan_.candidates.end(),
                     [](const Candidate& candidate) { return candidate.plan.may_keep_original; });
    if (own == plan_.candidates.end() || best_->skipped_reason != SkippedReason::kNone) {
      return Status();
    }
    uint64_t most_bytes = std::numeric_limits<uint64_t>::max();
    if (spec_.settings->max_bytes != 0) most_bytes = spec_.settings->max_bytes;
    if (ReachesGoal(*best_)) most_bytes = std::min(most_bytes, best_->compressed_bytes);
    PIXPRESS_ASSIGN_OR_RETURN(auto original,
                              RewriteOriginal(spec_, plan_, encoded_, most_bytes, context_));
    if (!original.has_value()) return Status();
    JobResult kept;
    kept.data = std::move(original);
    kept.format = own->plan.output_codec->format;
    kept.width = own->plan.geometry.width;
    kept.height = own->plan.geometry.height;
    kept.original_bytes = best_->original_bytes;
    kept.compressed_bytes = kept.data->size_bytes();
    kept.skipped_reason = SkippedReason::kNotSmaller;
    best_ = std::move(kept);
    return Status();
  }

  const JobSpec& spec_;
  const Plan& plan_;
  const Bytes encoded_;
  const WorkContext& context_;
  Order tried_;
  std::optional<JobResult> best_;
  Status failure_;  // The first one.
  float goal_ = 0;  // The score that lossy outputs are to reach.
  decltype(JobResult::stage_ns) stage_ns_ = {};
};

}  // namespace

Status RunAuto(const JobSpec& spec, const Plan& plan, Bytes encoded, const WorkContext& context,
               JobResult* result) {
  return AutoRun(spec, plan, encoded, context).Run(result);
}

}  // namespace pixpress
