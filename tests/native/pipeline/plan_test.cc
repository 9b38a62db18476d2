#include "pipeline/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace pixpress {
namespace {

ImageInfo JpegInfo(uint32_t width, uint32_t height, uint8_t orientation = 1) {
  ImageInfo info;
  info.format = Format::kJpeg;
  info.width = width;
  info.height = height;
  info.orientation = orientation;
  info.is_lossless = false;
  info.planar = ImageLayout::Ycbcr(width, height, 2, 2);
  return info;
}

ImageInfo PngInfo(uint32_t width, uint32_t height, bool has_alpha = false, uint8_t bits = 8) {
  ImageInfo info;
  info.format = Format::kPng;
  info.width = width;
  info.height = height;
  info.has_alpha = has_alpha;
  info.bits = bits;
  info.planar.plane_count = 0;
  return info;
}

JobSpec Spec(Settings settings) {
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>(std::move(settings));
  return spec;
}

Plan MustPlan(const Settings& settings, const ImageInfo& info) {
  auto plan = MakePlan(Spec(settings), info, 1'000'000);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return std::move(plan).value();
}

bool Has(const Plan& plan, StepKind kind) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [&](const PlannedStep& step) { return step.kind == kind; });
}

TEST(Plan, JpegOfTheSameSizeStaysPlanarAndKeepsItsTag) {
  const Plan plan = MustPlan(Settings(), JpegInfo(4000, 3000, 6));
  EXPECT_TRUE(plan.decode.planar);
  EXPECT_TRUE(plan.steps.empty());
  EXPECT_TRUE(plan.may_keep_original);
  EXPECT_EQ(plan.orientation, 1);
  EXPECT_EQ(plan.geometry.width, 4000u);
}

TEST(Plan, AnAnimationIsGivenUpBeyondItsOriginalUnlessThatIsPerhapsDamaged) {
  ImageInfo info = PngInfo(100, 80);
  info.format = Format::kGif;
  info.frames = 3;
  const Plan strict = MustPlan(Settings(), info);
  EXPECT_EQ(strict.animation.useful_bytes, 1'000'000u + (64 << 10));
  Settings settings;
  settings.on_damage = OnDamage::kSalvage;
  const Plan salvaging = MustPlan(settings, info);
  EXPECT_TRUE(salvaging.may_keep_original);
  EXPECT_EQ(salvaging.animation.useful_bytes, std::numeric_limits<uint64_t>::max());
}

TEST(Plan, JpegOfTheSameSizeNeedsNoPixelsAndTheWayThroughThemHoldsLittle) {
  Settings settings;
  settings.effort = 5;
  const Plan plan = MustPlan(settings, JpegInfo(4000, 3000, 6));
  ASSERT_TRUE(plan.transcode.has_value());
  EXPECT_EQ(plan.transcode->effort, 5);
  EXPECT_EQ(plan.encode.effort, 2);
  const uint64_t transcode_bytes = kJpegCodec.transcode_memory_bytes(plan.info, *plan.transcode);
  EXPECT_GE(plan.memory_bytes, transcode_bytes + 1'000'000);
}

TEST(Plan, ResizedOrUpsampledJpegNeedsPixelsAndProgressiveDoesNot) {
  Settings resized, progressive, upsampled, padded;
  resized.width = 600;
  progressive.progressive = Progressive::kOn;
  EXPECT_TRUE(MustPlan(progressive, JpegInfo(4000, 3000)).transcode.has_value());
  upsampled.subsampling = Subsampling::k444;
  padded.width = padded.height = 4000;
  padded.fit = Fit::kContain;
  for (const Settings& settings : {resized, upsampled, padded}) {
    EXPECT_FALSE(MustPlan(settings, JpegInfo(4000, 3000)).transcode.has_value());
  }
  Settings webp;
  webp.format = Format::kWebp;
  EXPECT_FALSE(MustPlan(webp, JpegInfo(640, 480)).transcode.has_value());
}

TEST(Plan, FinerChromaThanWantedIsFoldedWithoutPixels) {
  ImageInfo info = JpegInfo(4000, 3000);
  info.planar = ImageLayout::Ycbcr(4000, 3000, 2, 1);
  EXPECT_TRUE(MustPlan(Settings(), info).transcode.has_value());
  Settings fine;
  fine.quality = 95;
  const Plan kept = MustPlan(fine, info);
  ASSERT_TRUE(kept.transcode.has_value());
  EXPECT_EQ(kept.transcode->chroma_v, 1);
}

TEST(Plan, AResizedJpegIsTurnedAndShrunkOnLoadWithoutRgb) {
  Settings settings;
  settings.width = 600;
  const Plan plan = MustPlan(settings, JpegInfo(4000, 3000, 6));
  EXPECT_EQ(plan.orientation, 6);
  EXPECT_EQ(plan.geometry.width, 600u);
  EXPECT_EQ(plan.geometry.height, 800u);
  EXPECT_TRUE(plan.decode.planar);
  EXPECT_GT(plan.decode.scale_denominator, 1);
  EXPECT_EQ(plan.encoded_layout().color, ColorModel::kYCbCr);
  EXPECT_FALSE(plan.may_keep_original);
}

TEST(Plan, ChromaIsScaledAsMuchAsLumaWhereItStaysFinerThanTheOutputs) {
  const auto scales_evenly = [](uint32_t side, uint8_t turn, const Settings& settings) {
    ImageInfo info = JpegInfo(side, side, turn);
    info.planar = ImageLayout::Ycbcr(side, side, 2, 2);
    const Plan plan = MustPlan(settings, info);
    EXPECT_EQ(plan.decoded.planes[1].width,
              plan.decode.scales_evenly ? (plan.decoded.width + 1) / 2 : plan.decoded.width);
    return plan.decode.scales_evenly;
  };
  Settings settings;
  settings.width = 256;
  EXPECT_TRUE(scales_evenly(256 * 12, 1, settings));
  EXPECT_TRUE(scales_evenly(256 * 12, 6, settings));
  // The last sample of a turned plane must be a whole one.
  EXPECT_TRUE(scales_evenly(256 * 12 + 8, 1, settings));
  EXPECT_FALSE(scales_evenly(256 * 12 + 8, 6, settings));
  settings.subsampling = Subsampling::k444;
  EXPECT_FALSE(scales_evenly(256 * 12, 1, settings));
  EXPECT_TRUE(scales_evenly(256 * 24, 1, settings));
  settings.format = Format::kPng;
  EXPECT_FALSE(scales_evenly(256 * 12, 1, settings));
}

TEST(Plan, JpegToLossyWebpPassesPlanes) {
  Settings settings;
  settings.format = Format::kWebp;
  const Plan plan = MustPlan(settings, JpegInfo(640, 480));
  EXPECT_EQ(plan.encoded_layout().color, ColorModel::kYCbCr);
  EXPECT_FALSE(Has(plan, StepKind::kConvert));
}

TEST(Plan, JpegToPngIsRgb) {
  Settings settings;
  settings.format = Format::kPng;
  const Plan same_size = MustPlan(settings, JpegInfo(640, 480));
  EXPECT_FALSE(same_size.decode.planar);
  EXPECT_EQ(same_size.encoded_layout().color, ColorModel::kRgb);
  settings.width = 100;
  const Plan resized = MustPlan(settings, JpegInfo(640, 480));
  EXPECT_TRUE(resized.decode.planar);
  EXPECT_EQ(resized.encoded_layout().color, ColorModel::kRgb);
}

TEST(Plan, AlphaAndDepthThatJpegLacksAreConverted) {
  Settings settings;
  settings.format = Format::kJpeg;
  const Plan plan = MustPlan(settings, PngInfo(64, 64, /*has_alpha=*/true, /*bits=*/16));
  EXPECT_TRUE(Has(plan, StepKind::kConvert));
  EXPECT_FALSE(plan.encoded_layout().has_alpha);
  EXPECT_EQ(plan.encoded_layout().bits, 8);
}

TEST(Plan, PngKeepsSixteenBits) {
  const Plan plan = MustPlan(Settings(), PngInfo(64, 64, true, 16));
  EXPECT_EQ(plan.encoded_layout().bits, 16);
  EXPECT_TRUE(plan.steps.empty());
}

TEST(Plan, ColorsMakeAPaletteAndOnlyForPng) {
  Settings settings;
  settings.colors = 64;
  const Plan plan = MustPlan(settings, PngInfo(64, 64));
  EXPECT_TRUE(Has(plan, StepKind::kQuantize));
  EXPECT_EQ(plan.encoded_layout().color, ColorModel::kIndexed);
  settings.format = Format::kJpeg;
  EXPECT_EQ(MakePlan(Spec(settings), PngInfo(64, 64), 0).status().code(), StatusCode::kOption);
}

TEST(Plan, ContainPadsToTheBox) {
  Settings settings;
  settings.width = settings.height = 200;
  settings.fit = Fit::kContain;
  const Plan plan = MustPlan(settings, JpegInfo(400, 300));
  EXPECT_TRUE(Has(plan, StepKind::kPad));
  EXPECT_EQ(plan.encoded_layout().width, 200u);
  EXPECT_EQ(plan.encoded_layout().height, 200u);
}

TEST(Plan, AutoReservesForTheLargestCandidateAndTheBestUntilThen) {
  Settings settings;
  settings.format = Format::kAuto;
  for (const ImageInfo& info : {JpegInfo(3000, 2000), PngInfo(3000, 2000)}) {
    const Plan plan = MustPlan(settings, info);
    ASSERT_GE(plan.candidates.size(), 4u);
    for (const Candidate& candidate : plan.candidates) {
      const Format format = candidate.plan.output_codec->format;
      EXPECT_EQ(candidate.settings->format, format);
      EXPECT_EQ(candidate.is_lossless, !candidate.plan.goal.has_scores());
      EXPECT_NE(format, Format::kGif);
      EXPECT_GT(plan.memory_bytes, candidate.plan.memory_bytes + 3000 * 2000);
    }
  }
}

TEST(Plan, AutoLeavesOutWhatCannotHoldTheImage) {
  Settings settings;
  settings.format = Format::kAuto;
  ImageInfo deep = PngInfo(20000, 64);
  deep.bits = 16;
  for (const Candidate& candidate : MustPlan(settings, deep).candidates) {
    EXPECT_NE(candidate.plan.output_codec->format, Format::kWebp);
  }
  settings.lossless = true;
  deep = PngInfo(64, 64);
  deep.bits = 16;
  const Plan plan = MustPlan(settings, deep);
  ASSERT_EQ(plan.candidates.size(), 1u);
  EXPECT_EQ(plan.candidates[0].plan.output_codec->format, Format::kPng);
}

TEST(Plan, FormatsWithoutEncoderAndTooLargeSidesAreRefused) {
  Settings settings;
  settings.format = Format{200};  // No build has it.
  EXPECT_EQ(MakePlan(Spec(settings), JpegInfo(64, 64), 0).status().code(),
            StatusCode::kEncoderUnavailable);
  settings.format = Format::kWebp;
  EXPECT_EQ(MakePlan(Spec(settings), JpegInfo(20000, 64), 0).status().code(),
            StatusCode::kLimitExceeded);
}

TEST(Plan, MemoryCountsTheInputAndStreamsABaselineReencode) {
  Settings settings;
  settings.effort = 2;
  const Plan plan = MustPlan(settings, JpegInfo(12000, 8000));
  EXPECT_GT(plan.memory_bytes, 1'000'000u);
  // 96 megapixels are 144 MB of samples: a job that streams holds stripes, the output's bound,
  // which is 78 % of them at quality 80, and 30 MB for parts that idle workers decode ahead.
  EXPECT_LT(plan.memory_bytes, 170u << 20);
}

}  // namespace
}  // namespace pixpress
