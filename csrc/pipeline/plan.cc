#include "pipeline/plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "pipeline/auto_plan.h"
#include "pipeline/encode_options.h"
#include "pipeline/step_list.h"
#include "pipeline/turned_layout.h"

namespace pixpress {
namespace {

// Decoders shrink by averaging, so the resize filter keeps at least this ratio to do well itself.
constexpr double kShrinkHeadroom = 1.5;
constexpr uint8_t kMostDenominator = 8;  // Of decoders.

Result<const Codec*> ChooseOutput(const Settings& settings, const Codec* source) {
  const Codec* output = settings.format == Format::kUnknown ? source : FindCodec(settings.format);
  if (output == nullptr && settings.format == Format::kUnknown) {
    return Status(StatusCode::kOption, "pixels need a format: set format or an output extension");
  }
  if (output == nullptr || output->encode == nullptr) {
    return Status(StatusCode::kEncoderUnavailable, "this build cannot encode the asked format");
  }
  return output;
}

bool HasPalettes(const Plan& plan) {
  return plan.output_codec->format == Format::kPng || plan.output_codec->format == Format::kGif;
}

// Does the output hold palette indices, by its nature or because it was asked for?
bool MakesPalette(const Plan& plan, const Settings& settings) {
  if (settings.colors != 0) return true;
  if (settings.min_quality.has_value() && HasPalettes(plan)) return true;
  const ImageLayout rgb = ImageLayout::Interleaved(1, 1, ColorModel::kRgb, true);
  return plan.output_codec->accepted_layout(rgb, plan.encode).color == ColorModel::kIndexed;
}

// Do the steps or the output need interleaved color, whatever the decoder could give?
bool StepsNeedRgb(const Plan& plan, const Settings& settings) {
  if (plan.geometry.is_padded() || settings.linear || MakesPalette(plan, settings)) return true;
  const ImageLayout planar = ImageLayout::Ycbcr(16, 16, 2, 2);
  return plan.output_codec->accepted_layout(planar, plan.encode).color != ColorModel::kYCbCr;
}

// Outputs are scored against what one sees, with the chroma that there is.
bool NeedsRgb(const Plan& plan, const Settings& settings) {
  return plan.goal.has_scores() || StepsNeedRgb(plan, settings);
}

// The layout after resizing: the output's size in the present color model.
ImageLayout ResizedLayout(const ImageLayout& from, const Plan& plan, bool needs_rgb) {
  const Geometry& to = plan.geometry;
  if (from.color != ColorModel::kYCbCr) {
    return ImageLayout::Interleaved(to.resized_width, to.resized_height, from.color, from.has_alpha,
                                    from.bits);
  }
  if (needs_rgb) return ImageLayout::Ycbcr(to.resized_width, to.resized_height, 1, 1);
  const ImageLayout wanted = ImageLayout::Ycbcr(to.resized_width, to.resized_height,
                                                plan.encode.chroma_h, plan.encode.chroma_v);
  return plan.output_codec->accepted_layout(wanted, plan.encode);
}

// May subsampled planes be divided as much as the others, and leave the resize its ratio too? Then
// those of JPEG need nothing but averages of blocks.
bool CanScaleEvenly(const Plan& plan, const Geometry& stored, const ImageLayout& even,
                    bool needs_rgb) {
  if (plan.orientation != 1 && !PlanesTurnExactly(even)) return false;
  const ImageLayout out = Turned(ResizedLayout(even, plan, needs_rgb), plan.orientation);
  for (size_t p = 0; p < even.plane_count; ++p) {
    const double width = even.planes[p].width * stored.crop_width / plan.info.width;
    const double height = even.planes[p].height * stored.crop_height / plan.info.height;
    if (width < kShrinkHeadroom * out.planes[p].width) return false;
    if (height < kShrinkHeadroom * out.planes[p].height) return false;
  }
  return true;
}

void ChooseDecode(const JobSpec& spec, bool resized, bool becomes_srgb, Plan* plan) {
  const ImageInfo& info = plan->info;
  const Settings& settings = *spec.settings;
  if (plan->source_codec == nullptr) {
    plan->decoded = spec.source.layout;
    return;
  }
  if (plan->is_animated) {  // Composed frames.
    plan->decoded = ImageLayout::Interleaved(info.width, info.height, ColorModel::kRgb, true);
    return;
  }
  const bool needs_rgb = NeedsRgb(*plan, settings);
  const bool turns_well = plan->orientation == 1 || PlanesTurnExactly(info.planar);
  plan->decode.planar = info.planar.plane_count > 0 && turns_well && !becomes_srgb &&
                        (!needs_rgb || (resized && !settings.linear));
  // Subsampled planes that are not resized reach RGB best through the decoder's own upsampling.
  Geometry stored = plan->geometry;
  if (SwapsSides(plan->orientation)) {
    std::swap(stored.crop_width, stored.crop_height);
    std::swap(stored.resized_width, stored.resized_height);
  }
  plan->decode.scale_denominator =
      ShrinkOnLoad(stored, plan->source_codec->max_scale_denominator, kShrinkHeadroom);
  plan->decoded = plan->source_codec->decoded_layout(info, plan->decode);
  if (!plan->decode.planar || plan->decode.scale_denominator < kMostDenominator) return;
  DecodeOptions evenly = plan->decode;
  evenly.scales_evenly = true;
  const ImageLayout even = plan->source_codec->decoded_layout(info, evenly);
  if (!CanScaleEvenly(*plan, stored, even, needs_rgb)) return;
  plan->decode = evenly;
  plan->decoded = even;
}

void AddSteps(const Settings& settings, bool resized, bool becomes_srgb, Plan* plan) {
  StepList steps(plan->decoded);
  const bool needs_rgb = NeedsRgb(*plan, settings);
  if (plan->orientation != 1) {
    steps.Add(StepKind::kOrient, Turned(steps.now(), plan->orientation));
  }
  if (becomes_srgb) {  // First of all: backgrounds and linear light are meant in sRGB.
    const ImageLayout& now = steps.now();
    const ColorModel color = now.color == ColorModel::kGray ? ColorModel::kGray : ColorModel::kRgb;
    steps.Add(StepKind::kColor,
              ImageLayout::Interleaved(now.width, now.height, color, now.has_alpha, now.bits));
  } else if (steps.now().color == ColorModel::kCmyk) {
    steps.ConvertTo(ImageLayout::Interleaved(1, 1, ColorModel::kRgb, false));
  }
  const ImageLayout sized = ResizedLayout(steps.now(), *plan, needs_rgb);
  if (resized || !SamePlanes(sized, steps.now())) steps.Add(StepKind::kResize, sized);
  if (plan->geometry.is_padded()) {
    const bool has_alpha = steps.now().has_alpha || plan->output_codec->format != Format::kJpeg;
    const bool transparent = settings.background.a != 255;
    const ImageLayout rgb = ImageLayout::Interleaved(
        1, 1, ColorModel::kRgb, has_alpha && (transparent || steps.now().has_alpha),
        steps.now().bits);
    steps.ConvertTo(rgb);
    steps.Add(StepKind::kPad, ImageLayout::Interleaved(plan->geometry.width, plan->geometry.height,
                                                       rgb.color, rgb.has_alpha, rgb.bits));
  }
  if (plan->is_animated) {
    steps.ConvertTo(ImageLayout::Interleaved(1, 1, ColorModel::kRgb, true));
  } else if (MakesPalette(*plan, settings)) {
    steps.ConvertTo(ImageLayout::Interleaved(1, 1, ColorModel::kRgb, steps.now().has_alpha, 8));
    steps.Add(StepKind::kQuantize, ImageLayout::Interleaved(steps.now().width, steps.now().height,
                                                            ColorModel::kIndexed, false, 8));
  } else {
    if (needs_rgb && steps.now().color == ColorModel::kYCbCr) {
      steps.ConvertTo(ImageLayout::Interleaved(1, 1, ColorModel::kRgb, false));
    }
    steps.ConvertTo(plan->output_codec->accepted_layout(steps.now(), plan->encode));
  }
  plan->steps = steps.Take();
}

// Must the pixels become sRGB, since the output cannot say what colors they are otherwise?
bool NeedsSrgb(const Plan& plan) {
  const ImageInfo& info = plan.info;
  if (!info.has_icc) return info.has_color_chunks && plan.output_codec->format != Format::kPng;
  if (info.color == ColorModel::kCmyk || !plan.output_codec->can_hold_icc) return true;
  const bool is_gray = plan.encoded_layout().color == ColorModel::kGray;
  return is_gray != (info.color == ColorModel::kGray);
}

void ChooseSteps(const JobSpec& spec, bool resized, Plan* plan) {
  ChooseDecode(spec, resized, /*becomes_srgb=*/false, plan);
  AddSteps(*spec.settings, resized, /*becomes_srgb=*/false, plan);
  if (!NeedsSrgb(*plan)) return;
  ChooseDecode(spec, resized, /*becomes_srgb=*/true, plan);
  AddSteps(*spec.settings, resized, /*becomes_srgb=*/true, plan);
}

// Same format, size, turn and sampling: the codec may do it without pixels. What is left to pixels
// is rare and odd, and gets the encoder that holds least.
void ChooseTranscode(Plan* plan) {
  constexpr int kPixelEffort = 2;
  const Codec& codec = *plan->output_codec;
  if (codec.transcode == nullptr || !codec.can_transcode(plan->info, plan->encode)) return;
  plan->transcode = plan->encode;
  plan->encode.effort = std::min(plan->encode.effort, kPixelEffort);
}

Status CheckOutput(const Plan& plan, const Settings& settings) {
  const std::string name(plan.output_codec->name);
  const uint32_t most = plan.output_codec->max_side_px;
  if (plan.geometry.width > most || plan.geometry.height > most) {
    return Status(StatusCode::kLimitExceeded,
                  "the output of " + std::to_string(plan.geometry.width) + " x " +
                      std::to_string(plan.geometry.height) + " pixels exceeds the " +
                      std::to_string(most) + " pixels that " + name + " can have on a side");
  }
  if (settings.colors != 0 && !HasPalettes(plan)) {
    return Status(StatusCode::kOption, "colors need PNG or GIF output, got " + name);
  }
  if (settings.lossless && plan.output_codec->format == Format::kJpeg) {
    return Status(StatusCode::kOption, "lossless is not possible for jpeg output");
  }
  return CheckDimensions(plan.geometry.width, plan.geometry.height, settings.limits);
}

// What is lossless keeps the depth too.
Status CheckDepth(const Plan& plan, const Settings& settings) {
  const bool is_near = plan.output_codec->format == Format::kWebp && settings.near_lossless < 100;
  const bool is_deep = plan.encoded_layout().bits >= plan.info.bits;
  if (!settings.lossless || is_near || is_deep) return Status();
  return Status(StatusCode::kOption,
                "lossless is not possible: the 16 bits need a still png without colors");
}

// Do all frames go through the job, and what animation do they make?
Status PlanAnimation(const Settings& settings, Plan* plan) {
  const bool is_possible = plan->output_codec->start_animation != nullptr;
  if (settings.animated == Animated::kOn && !is_possible) {
    return Status(StatusCode::kOption, std::string(plan->output_codec->name) +
                                           " has no animations; set animated to False or \"auto\"");
  }
  const ImageInfo& info = plan->info;
  const uint32_t frames =
      settings.max_frames == 0 ? info.frames : std::min(info.frames, settings.max_frames);
  plan->is_animated = is_possible && settings.animated != Animated::kOff && frames > 1 &&
                      plan->source_codec != nullptr && plan->source_codec->open_frames != nullptr;
  if (!plan->is_animated) return Status();
  plan->animation = {plan->geometry.width, plan->geometry.height, frames, info.loop_count};
  return CheckFrames(frames, info.width, info.height, settings.limits);
}

// The limit and the score that the quality is searched for, if they are asked for.
Status PlanSearch(const Settings& settings, Plan* plan) {
  if (!plan->is_animated && plan->obeys_quality()) plan->max_bytes = settings.max_bytes;
  const int floor = HasPalettes(*plan) ? 0 : settings.min_quality.value_or(0);
  if (settings.target_score == 0 && floor == 0) return Status();
  const std::string what = settings.target_score == 0 ? "min_quality" : "target";
  if (!plan->obeys_quality()) {
    return Status(StatusCode::kOption, what + " needs a lossy output (jpeg, webp, avif), got " +
                                           (settings.lossless ? "lossless " : "") +
                                           std::string(plan->output_codec->name));
  }
  if (plan->is_animated) {
    return Status(StatusCode::kOption, what + " needs a still image; set animated to False");
  }
  if (settings.target_score != 0 && settings.target_score < static_cast<float>(floor)) {
    return Status(StatusCode::kOption,
                  "min_quality " + std::to_string(floor) + " is more than the target asks for");
  }
  plan->goal = {.format = plan->output_codec->format,
                .target = settings.target_score,
                .floor = floor,
                .quality = settings.quality};
  return Status();
}

// Is an animation useless once it is longer than the original, whatever its metadata becomes? Not
// if the original may turn out damaged.
bool MayGiveUp(const Plan& plan, const Settings& settings) {
  return plan.may_keep_original && settings.on_damage == OnDamage::kError;
}

}  // namespace

ImageInfo PixelInfo(const Source& source) {
  const ImageLayout& layout = source.layout;
  ImageInfo info;
  info.width = layout.width;
  info.height = layout.height;
  info.color = layout.color;
  info.has_alpha = layout.has_alpha;
  info.bits = layout.bits;
  info.planar.plane_count = 0;
  if (source.imported == nullptr) return info;
  info.orientation = source.imported->metadata.orientation;
  info.has_icc = !source.imported->metadata.icc.empty();
  info.frames = source.imported->frames;
  return info;
}

bool Plan::Has(StepKind kind) const {
  return std::any_of(steps.begin(), steps.end(),
                     [&](const PlannedStep& step) { return step.kind == kind; });
}

bool Plan::may_abort() const {
  return (is_animated && output_codec->animations_may_abort) ||
         std::any_of(candidates.begin(), candidates.end(),
                     [](const Candidate& candidate) { return candidate.plan.may_abort(); });
}

Result<Plan> MakePlan(const JobSpec& spec, const ImageInfo& info, uint64_t input_bytes) {
  const Settings& settings = *spec.settings;
  if (settings.format == Format::kAuto) return MakeAutoPlan(spec, info, input_bytes);
  Plan plan;
  plan.info = info;
  plan.source_codec = FindCodec(info.format);
  PIXPRESS_ASSIGN_OR_RETURN(plan.output_codec, ChooseOutput(settings, plan.source_codec));
  plan.encode = MakeEncodeOptions(spec, info);

  const uint8_t turn = settings.auto_orient ? info.orientation : 1;
  uint32_t width = info.width, height = info.height;
  if (SwapsSides(turn)) std::swap(width, height);
  plan.geometry = FitGeometry(width, height, settings);
  const bool resized = plan.geometry.is_resized(width, height);
  const bool same_size = !resized && !plan.geometry.is_padded();
  // The Orientation tag does the turning where nothing else touches the geometry.
  const bool keeps_tag = plan.source_codec == plan.output_codec && same_size;
  plan.orientation = keeps_tag ? 1 : turn;
  if (keeps_tag && SwapsSides(turn)) {
    plan.geometry = FitGeometry(info.width, info.height, Settings{});
  }
  PIXPRESS_RETURN_IF_ERROR(CheckOutput(plan, settings));
  PIXPRESS_RETURN_IF_ERROR(PlanAnimation(settings, &plan));
  PIXPRESS_RETURN_IF_ERROR(PlanSearch(settings, &plan));
  // The original has all frames, so it is no answer where the output has fewer.
  const uint32_t kept_frames = plan.is_animated ? plan.animation.frames : 1;
  plan.may_keep_original = keeps_tag && plan.source_codec != nullptr && kept_frames == info.frames;

  ChooseSteps(spec, resized, &plan);
  PIXPRESS_RETURN_IF_ERROR(CheckDepth(plan, settings));
  if (plan.may_keep_original && !StepsNeedRgb(plan, settings) && !plan.Has(StepKind::kColor)) {
    ChooseTranscode(&plan);
  }
  const uint64_t encoded_bytes =
      spec.source.kind == Source::Kind::kBytes ? spec.source.bytes.size() : input_bytes;
  if (MayGiveUp(plan, settings)) plan.animation.useful_bytes = encoded_bytes + (64u << 10);
  plan.goal.keep_bytes = plan.encoded_layout().total_bytes() / 4;
  plan.memory_bytes = PlanMemoryBytes(plan, settings, input_bytes, encoded_bytes);
  return plan;
}

}  // namespace pixpress
