#include "pipeline/step_color.h"

#include <gtest/gtest.h>

#include <random>

#include "image/image.h"
#include "kernels/color_profiles.h"
#include "pipeline/output_color.h"

namespace pixpress {
namespace {

class StepColorTest : public testing::Test {
 protected:
  std::vector<uint8_t> Run(const ImageLayout& in, const std::vector<uint8_t>& pixels,
                           const ImageLayout& out, const ColorTransform* transform) {
    auto step = MakeColorStep(MakeBorrowedSource(in, pixels.data(), in.row_bytes(0), {}), out,
                              transform, context_);
    EXPECT_TRUE(step.ok());
    auto image = CollectRows(*step.value(), context_);
    EXPECT_TRUE(image.ok());
    std::vector<uint8_t> bytes;
    for (uint32_t y = 0; y < out.height; ++y) {
      const uint8_t* row = image.value().row(0, y);
      bytes.insert(bytes.end(), row, row + out.row_bytes(0));
    }
    return bytes;
  }
  static std::vector<uint8_t> RandomBytes(size_t size) {
    std::mt19937 random(3);
    std::vector<uint8_t> bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
  }

  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
  WorkContext context_{.meter = meter_, .stop = {}, .parallel = parallel_};
};

TEST_F(StepColorTest, RowsOfCmykStreamThroughTheProfile) {
  const ImageLayout in = ImageLayout::Interleaved(37, 53, ColorModel::kCmyk, false);
  const ImageLayout out = ImageLayout::Interleaved(37, 53, ColorModel::kRgb, false);
  const auto icc = CmykProfile();
  const auto pixels = RandomBytes(in.total_bytes());
  auto transform = ColorTransform::FromProfile(icc, in, meter_);
  ASSERT_TRUE(transform.ok());
  EXPECT_EQ(Run(in, pixels, out, transform.value().get()),
            PlainConvert(icc, pixels, TYPE_CMYK_8, TYPE_RGB_8, 3, 37 * 53));
  EXPECT_LE(meter_.peak_bytes(), ColorMemoryBytes(out) + Image::MemoryBytes(out));
}

TEST_F(StepColorTest, WithoutATransformCmykTakesTheFormulaAndTheRestStays) {
  const ImageLayout cmyk = ImageLayout::Interleaved(2, 1, ColorModel::kCmyk, false);
  const ImageLayout rgb = ImageLayout::Interleaved(2, 1, ColorModel::kRgb, false);
  EXPECT_EQ(Run(cmyk, {0, 0, 0, 0, 255, 0, 0, 51}, rgb, nullptr),
            (std::vector<uint8_t>{255, 255, 255, 0, 204, 204}));
  EXPECT_EQ(Run(rgb, {1, 2, 3, 4, 5, 6}, rgb, nullptr), (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
}

// Plans of a JPEG, whose output's colors are to be found out.
class OutputColorTest : public StepColorTest {
 protected:
  Plan MustPlan(ColorModel color, Format format) {
    Settings settings;
    settings.format = format;
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>(settings);
    ImageInfo info;
    info.format = Format::kJpeg;
    info.width = info.height = 64;
    info.color = color;
    info.has_icc = true;
    info.planar.plane_count = 0;
    if (color == ColorModel::kRgb) info.planar = ImageLayout::Ycbcr(64, 64, 2, 2);
    auto plan = MakePlan(spec, info, 1000);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    return std::move(plan).value();
  }

  std::vector<std::string> warnings_;
};

TEST_F(OutputColorTest, PhotosKeepTheirProfileAndTheirPlanes) {
  const Plan plan = MustPlan(ColorModel::kRgb, Format::kWebp);
  EXPECT_FALSE(plan.Has(StepKind::kColor));
  EXPECT_TRUE(plan.decode.planar);
  Metadata metadata;
  metadata.icc = WideProfile();
  EXPECT_EQ(MakeOutputColor(plan, &metadata, meter_, &warnings_), nullptr);
  EXPECT_EQ(metadata.icc, WideProfile());
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(OutputColorTest, GrayThatBecomesColorIsConvertedWithItsProfile) {
  EXPECT_FALSE(MustPlan(ColorModel::kGray, Format::kPng).Has(StepKind::kColor));
  const Plan plan = MustPlan(ColorModel::kGray, Format::kWebp);
  ASSERT_TRUE(plan.Has(StepKind::kColor));
  Metadata metadata;
  metadata.icc = GrayProfile(1.0);
  EXPECT_NE(MakeOutputColor(plan, &metadata, meter_, &warnings_), nullptr);
  EXPECT_TRUE(metadata.icc.empty());
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(OutputColorTest, AProfileThatCannotBeUsedIsAWarningAndTheFormula) {
  const Plan plan = MustPlan(ColorModel::kCmyk, Format::kPng);
  ASSERT_TRUE(plan.Has(StepKind::kColor));
  for (const auto& icc : {std::vector<uint8_t>(500), WideProfile(), std::vector<uint8_t>()}) {
    Metadata metadata;
    metadata.icc = icc;
    warnings_.clear();
    EXPECT_EQ(MakeOutputColor(plan, &metadata, meter_, &warnings_), nullptr);
    EXPECT_TRUE(metadata.icc.empty());
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_NE(warnings_[0].find("formula"), std::string::npos) << warnings_[0];
  }
}

TEST_F(OutputColorTest, ConvertedColorsCountTheTransformAsMemory) {
  EXPECT_GT(MustPlan(ColorModel::kCmyk, Format::kPng).memory_bytes, kColorTransformBytes);
}

}  // namespace
}  // namespace pixpress
