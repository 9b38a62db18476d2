#include "image/pixel_format.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(PixelFormatTest, InterleavedChannelsFollowColorAndAlpha) {
  const auto channels = [](ColorModel color, bool has_alpha) {
    return int{ImageLayout::Interleaved(3, 2, color, has_alpha).planes[0].channels};
  };
  EXPECT_EQ(channels(ColorModel::kGray, false), 1);
  EXPECT_EQ(channels(ColorModel::kGray, true), 2);
  EXPECT_EQ(channels(ColorModel::kRgb, false), 3);
  EXPECT_EQ(channels(ColorModel::kRgb, true), 4);
  EXPECT_EQ(channels(ColorModel::kCmyk, false), 4);
  EXPECT_EQ(channels(ColorModel::kIndexed, false), 1);
}

TEST(PixelFormatTest, RowsOfSixteenBitsAreTwiceAsLong) {
  const ImageLayout layout = ImageLayout::Interleaved(5, 4, ColorModel::kRgb, true, 16);
  EXPECT_EQ(layout.row_bytes(0), 5u * 4 * 2);
  EXPECT_EQ(layout.total_bytes(), 5u * 4 * 2 * 4);
}

TEST(PixelFormatTest, ChromaOfOddSidesIsRoundedUp) {
  const ImageLayout layout = ImageLayout::Ycbcr(7, 5, 2, 2);
  EXPECT_EQ(layout.plane_count, 3);
  EXPECT_EQ(layout.planes[0].width, 7u);
  EXPECT_EQ(layout.planes[1].width, 4u);
  EXPECT_EQ(layout.planes[1].height, 3u);
  EXPECT_EQ(layout.planes[2], layout.planes[1]);
  EXPECT_EQ(layout.total_bytes(), 7u * 5 + 2 * 4 * 3);
}

TEST(PixelFormatTest, TheLargestFactorsNeedNotBelongToLuma) {
  ImageLayout layout = ImageLayout::Ycbcr(8, 8, 2, 1);
  EXPECT_EQ(layout.max_h_samples(), 2);
  EXPECT_EQ(layout.max_v_samples(), 1);
  layout.planes[2].v_samples = 4;
  EXPECT_EQ(layout.max_v_samples(), 4);
}

TEST(PixelFormatTest, TheTotalOfTheLargestImageDoesNotWrap) {
  const ImageLayout layout =
      ImageLayout::Interleaved(0xFFFFFFFF, 0xFFFFFFFF, ColorModel::kGray, false);
  EXPECT_EQ(layout.total_bytes(), uint64_t{0xFFFFFFFF} * 0xFFFFFFFF);
}

}  // namespace
}  // namespace pixpress
