#include "pipeline/geometry.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

Settings Box(uint32_t width, uint32_t height, Fit fit, bool upscale = false) {
  Settings settings;
  settings.width = width;
  settings.height = height;
  settings.fit = fit;
  settings.upscale = upscale;
  return settings;
}

TEST(FitGeometry, WithoutASizeNothingChanges) {
  const Geometry geometry = FitGeometry(640, 480, Settings());
  EXPECT_EQ(geometry.width, 640u);
  EXPECT_EQ(geometry.height, 480u);
  EXPECT_FALSE(geometry.is_resized(640, 480));
  EXPECT_FALSE(geometry.is_padded());
}

TEST(FitGeometry, OneSideKeepsTheAspectRatio) {
  EXPECT_EQ(FitGeometry(4000, 3000, Box(1600, 0, Fit::kInside)).height, 1200u);
  EXPECT_EQ(FitGeometry(4000, 3000, Box(0, 300, Fit::kCover)).width, 400u);
}

TEST(FitGeometry, InsideStaysInTheBoxAndOutsideCoversIt) {
  const Geometry inside = FitGeometry(4000, 3000, Box(1000, 1000, Fit::kInside));
  EXPECT_EQ(inside.width, 1000u);
  EXPECT_EQ(inside.height, 750u);
  const Geometry outside = FitGeometry(4000, 3000, Box(1000, 1000, Fit::kOutside));
  EXPECT_EQ(outside.width, 1333u);
  EXPECT_EQ(outside.height, 1000u);
}

TEST(FitGeometry, CoverCropsToTheExactBoxAtThePosition) {
  Settings settings = Box(1000, 1000, Fit::kCover);
  settings.position = {.x = 1.0f, .y = 0.5f};
  const Geometry geometry = FitGeometry(4000, 3000, settings);
  EXPECT_EQ(geometry.width, 1000u);
  EXPECT_EQ(geometry.height, 1000u);
  EXPECT_DOUBLE_EQ(geometry.crop_width, 3000.0);
  EXPECT_DOUBLE_EQ(geometry.crop_x, 1000.0);
}

TEST(FitGeometry, ContainPadsToTheExactBox) {
  const Geometry geometry = FitGeometry(4000, 3000, Box(1000, 1000, Fit::kContain));
  EXPECT_EQ(geometry.resized_height, 750u);
  EXPECT_EQ(geometry.height, 1000u);
  EXPECT_EQ(geometry.pad_top, 125u);
  EXPECT_TRUE(geometry.is_padded());
}

TEST(FitGeometry, FillDistorts) {
  const Geometry geometry = FitGeometry(4000, 3000, Box(100, 900, Fit::kFill));
  EXPECT_EQ(geometry.width, 100u);
  EXPECT_EQ(geometry.height, 900u);
}

TEST(FitGeometry, NothingGrowsUnlessAsked) {
  const Geometry small = FitGeometry(100, 50, Box(1000, 1000, Fit::kInside));
  EXPECT_EQ(small.width, 100u);
  EXPECT_EQ(small.height, 50u);
  const Geometry grown = FitGeometry(100, 50, Box(1000, 1000, Fit::kInside, /*upscale=*/true));
  EXPECT_EQ(grown.width, 1000u);
  EXPECT_EQ(grown.height, 500u);
}

TEST(FitGeometry, ExtremeAspectRatiosKeepOnePixel) {
  EXPECT_EQ(FitGeometry(10000, 1, Box(10, 10, Fit::kInside)).height, 1u);
}

TEST(ShrinkOnLoad, LeavesTheHeadroomAndStopsAtTheDecodersLimit) {
  const Geometry geometry = FitGeometry(4000, 3000, Box(1000, 0, Fit::kInside));
  EXPECT_EQ(ShrinkOnLoad(geometry, 8, 1.0), 4);
  EXPECT_EQ(ShrinkOnLoad(geometry, 8, 1.5), 2);
  EXPECT_EQ(ShrinkOnLoad(geometry, 1, 1.0), 1);
}

}  // namespace
}  // namespace pixpress
