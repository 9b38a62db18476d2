#include "pipeline/auto_plan.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "pipeline/score.h"
#include "pipeline/step_mirror.h"
#include "pipeline/typical_score.h"

namespace pixpress {
namespace {

// In the order in which they are tried: what wins as a rule comes first, and others end early.
constexpr std::array kLossless = {Format::kWebp, Format::kPng};
constexpr std::array kLossy = {Format::kAvif, Format::kWebp, Format::kJpeg};

Status CheckSettings(const Settings& settings) {
  if (settings.colors != 0) {
    return Status(StatusCode::kOption, "colors need PNG or GIF output, got format auto");
  }
  const bool has_score = settings.target_score != 0 || settings.min_quality.has_value();
  if (settings.lossless && has_score) {
    return Status(StatusCode::kOption, "target and min_quality are nothing for lossless output");
  }
  if (settings.target_score != 0 &&
      settings.target_score < static_cast<float>(settings.min_quality.value_or(0))) {
    return Status(StatusCode::kOption, "min_quality is more than the target asks for");
  }
  return Status();
}

// The score that lossy outputs have to reach: the target, else what JPEG scores as a rule at
// `quality`; min_quality at least.
float TargetOf(const Settings& settings) {
  constexpr double kLeast = 1;  // The worst qualities score less than 0, which is no target.
  if (settings.target_score != 0) return settings.target_score;
  const double typical = TypicalScore(Format::kJpeg, settings.quality);
  const double floor = settings.min_quality.value_or(0);
  return static_cast<float>(std::max({typical, floor, kLeast}));
}

// Score small images as mirrored: with fewer than its six scales the metric puts its weights to
// others, and what it says then is far from what it says of larger images at the same quality.
// Whoever asks for a score himself gets the metric as it is.
void ScoreAsLarge(const Settings& settings, Plan* plan) {
  constexpr uint32_t kSideOfAllScales = 256;
  if (settings.target_score != 0 || settings.min_quality.has_value()) return;
  plan->goal.least_side = kSideOfAllScales;
  const ImageLayout& own = plan->encoded_layout();
  const ImageLayout rgba =
      ImageLayout::Interleaved(own.width, own.height, ColorModel::kRgb, true, own.bits);
  const uint64_t mirror_bytes = MirrorMemoryBytes(rgba, kSideOfAllScales);
  if (mirror_bytes == 0) return;
  const uint64_t score_bytes = ScoreMemoryBytes(std::max(own.width, kSideOfAllScales),
                                                std::max(own.height, kSideOfAllScales));
  plan->memory_bytes =
      SaturatingAdd(plan->memory_bytes, SaturatingAdd(2 * mirror_bytes, score_bytes));
}

// This format is no way for this image, but another one may be.
bool IsNoWay(const Status& status) {
  return status.code() == StatusCode::kLimitExceeded ||
         status.code() == StatusCode::kEncoderUnavailable;
}

class AutoPlanner {
 public:
  AutoPlanner(const JobSpec& spec, const ImageInfo& info, uint64_t input_bytes)
      : spec_(spec), info_(info), input_bytes_(input_bytes), settings_(*spec.settings) {}

  Result<Plan> Run() {
    PIXPRESS_RETURN_IF_ERROR(CheckSettings(settings_));
    // PNG has all there is: animations, alpha, 16 bits, sides of any length.
    Settings in_png = LosslessIn(Format::kPng);
    in_png.lossless = settings_.lossless;  // Else frames may lose what they have above 8 bits.
    PIXPRESS_ASSIGN_OR_RETURN(Candidate png, Make(std::move(in_png)));
    PIXPRESS_RETURN_IF_ERROR(png.plan.is_animated ? AddAnimations() : AddStills(png));
    return Joined();
  }

 private:
  Settings LosslessIn(Format format) const {
    Settings settings = settings_;
    settings.format = format;
    settings.lossless = true;
    settings.target_score = 0;
    settings.min_quality.reset();
    return settings;
  }
  Settings LossyIn(Format format) const {
    Settings settings = settings_;
    settings.format = format;
    settings.animated = Animated::kOff;
    settings.near_lossless = 100;  // Is about the lossless one.
    settings.target_score = TargetOf(settings_);
    return settings;
  }

  Result<Candidate> Make(Settings settings) const {
    Candidate made;
    made.is_lossless = settings.lossless;
    made.settings = std::make_shared<const Settings>(std::move(settings));
    JobSpec spec = spec_;
    spec.settings = made.settings;
    PIXPRESS_ASSIGN_OR_RETURN(made.plan, MakePlan(spec, info_, input_bytes_));
    if (made.plan.goal.has_scores()) ScoreAsLarge(settings_, &made.plan);
    return made;
  }

  Status Add(Settings settings) {
    auto made = Make(std::move(settings));
    if (made.ok()) {
      candidates_.push_back(std::move(made).value());
    } else if (!IsNoWay(made.status())) {
      return std::move(made).status();
    }
    return Status();
  }

  // The source's own format, and WebP. Nothing measures animations, so the settings are as if
  // one of them had been asked for.
  Status AddAnimations() {
    if (settings_.target_score != 0 || settings_.min_quality.has_value()) {
      return Status(StatusCode::kOption,
                    "target and min_quality need a still image; set animated to False");
    }
    Settings settings = settings_;
    settings.format = info_.format;
    if (FindCodec(info_.format)->start_animation != nullptr) {
      PIXPRESS_RETURN_IF_ERROR(Add(settings));
    }
    settings.format = Format::kWebp;
    return info_.format == Format::kWebp ? Status() : Add(settings);
  }

  Status AddStills(const Candidate& png) {
    const ImageLayout& layout = png.plan.encoded_layout();
    for (const Format format : kLossless) {
      if (format != Format::kPng && layout.bits > 8) continue;
      Settings settings = LosslessIn(format);
      settings.animated = Animated::kOff;
      PIXPRESS_RETURN_IF_ERROR(Add(std::move(settings)));
    }
    if (settings_.lossless) return Status();
    for (const Format format : kLossy) {
      PIXPRESS_RETURN_IF_ERROR(Add(LossyIn(format)));
    }
    return Status();
  }

  // What is held of the best output while another one is tried. Still outputs are not much larger
  // than pixels, and chunks grow by half.
  uint64_t KeptBytes() const {
    const Plan& first = candidates_.front().plan;
    if (first.is_animated) return first.memory_bytes;
    const uint64_t pixel_bytes = first.encoded_layout().total_bytes();
    const uint64_t bytes = SaturatingAdd(pixel_bytes, pixel_bytes / 4);
    return SaturatingAdd(bytes, bytes / 2 + (128u << 10));
  }

  Result<Plan> Joined() {
    if (candidates_.empty()) {
      return Status(StatusCode::kLimitExceeded, "no format can hold the output of format auto");
    }
    Plan plan;
    plan.info = info_;
    plan.source_codec = FindCodec(info_.format);
    for (const Candidate& candidate : candidates_) {
      plan.memory_bytes = std::max(plan.memory_bytes, candidate.plan.memory_bytes);
    }
    if (candidates_.size() > 1) plan.memory_bytes = SaturatingAdd(plan.memory_bytes, KeptBytes());
    plan.candidates = std::move(candidates_);
    return plan;
  }

  const JobSpec& spec_;
  const ImageInfo& info_;
  const uint64_t input_bytes_;
  const Settings& settings_;
  std::vector<Candidate> candidates_;
};

}  // namespace

Result<Plan> MakeAutoPlan(const JobSpec& spec, const ImageInfo& info, uint64_t input_bytes) {
  return AutoPlanner(spec, info, input_bytes).Run();
}

}  // namespace pixpress
