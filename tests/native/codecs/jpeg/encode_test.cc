#include "codecs/jpeg/encode.h"

#include <random>

#include "codecs/jpeg/fixture.h"

namespace pixpress {
namespace {

using JpegEncodeTest = JpegTest;

// Each sample is black or white.
Image Noise(const ImageLayout& layout, Meter& meter) {
  std::mt19937 random(3);
  Image noise = Image::Create(layout, meter).value();
  for (uint32_t y = 0; y < layout.height; ++y) {
    for (uint32_t x = 0; x < layout.row_bytes(0); ++x) {
      noise.row(0, y)[x] = random() % 2 == 0 ? 0 : 255;
    }
  }
  return noise;
}

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

TEST_F(JpegEncodeTest, NoiseOfBlackAndWhiteStaysWithinTheBoundOfTheOutput) {
  for (const ColorModel color : {ColorModel::kGray, ColorModel::kRgb}) {
    const ImageLayout layout = ImageLayout::Interleaved(256, 256, color, false);
    const ImageLayout dot = ImageLayout::Interleaved(1, 1, color, false);
    for (const int quality : {1, 10, 25, 50, 75, 80, 85, 90, 93, 95, 97, 98, 99, 100}) {
      for (const int effort : {1, 4, 8}) {
        const EncodeOptions options = {
            .quality = quality, .effort = effort, .chroma_h = 1, .chroma_v = 1};
        auto source = MakeImageSource(Noise(layout, meter_), {});
        ByteChain out(meter_);
        ASSERT_TRUE(kJpegCodec.encode(*source, options, {}, context_, &out).ok());
        // What is there for chunks of any size must not hide what the samples take.
        EXPECT_LE(out.size_bytes(),
                  JpegOutputBytes(layout, options) - JpegOutputBytes(dot, options) + 1000)
            << "quality " << quality << " effort " << effort;
      }
    }
  }
}

}  // namespace
}  // namespace pixpress
