#include "codecs/jpeg_encode.h"

#include "codecs/jpeg_fixture.h"

namespace pixpress {
namespace {

using JpegEncodeTest = JpegTest;

TEST_F(JpegEncodeTest, PlanesSurviveEverySamplingSizeAndEffort) {
  const std::pair<int, int> sizes[] = {{1, 1}, {7, 13}, {64, 48}, {131, 257}, {300, 17}};
  for (const auto& [width, height] : sizes) {
    for (int sampling = 0; sampling < 4; ++sampling) {
      for (const int effort : {1, 5, 8}) {
        const ImageLayout layout =
            ImageLayout::Ycbcr(width, height, 1 + sampling % 2, 1 + sampling / 2);
        const auto bytes = Encode(layout, {.quality = 95, .effort = effort});
        const Result<Image> back = Decode(bytes, {.planar = true});
        ASSERT_TRUE(back.ok()) << back.status().message();
        ASSERT_EQ(back.value().layout().planes, layout.planes);
        EXPECT_GT(Psnr(Picture(layout), back.value()), 38) << width << "x" << height;
      }
    }
  }
}

TEST_F(JpegEncodeTest, GrayAndRgbSurvive) {
  for (const ColorModel color : {ColorModel::kGray, ColorModel::kRgb}) {
    const ImageLayout layout = ImageLayout::Interleaved(99, 55, color, false);
    const auto bytes = Encode(layout, {.quality = 95, .chroma_h = 1, .chroma_v = 1});
    const Result<Image> back = Decode(bytes);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_GT(Psnr(Picture(layout), back.value()), 30);
  }
}

}  // namespace
}  // namespace pixpress
