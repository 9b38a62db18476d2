#include "codecs/jpeg_fold.h"

#include "codecs/jpeg_fixture.h"
#include "codecs/jpeg_transcode.h"

namespace pixpress {
namespace {

class JpegFoldTest : public JpegTest {
 protected:
  std::vector<uint8_t> Folded(Bytes jpeg, int quality) {
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    EncodeOptions options;
    options.quality = quality;
    options.effort = 2;
    EXPECT_TRUE(CanTranscodeJpeg(info, options));
    Meter meter(pool_);
    const WorkContext context{meter, {}, parallel_};
    ByteChain out(meter);
    const auto done = TranscodeJpeg(jpeg, info, options, limits_, {}, context, &out);
    EXPECT_TRUE(done.ok() && done.value()) << done.status().message();
    EXPECT_LE(meter.peak_bytes(), JpegTranscodeMemoryBytes(info, options));
    return Flat(out);
  }
  ImageInfo Info(Bytes jpeg) { return kJpegCodec.probe(jpeg, jpeg.size(), limits_).value(); }
};

struct Plane {
  std::vector<uint8_t> samples;
  uint32_t width = 0;
  uint32_t height = 0;
};

// The mean of each cell of `h` x `v` samples, the last ones repeated.
Plane Halved(const Plane& from, uint32_t h, uint32_t v) {
  Plane to;
  to.width = (from.width + h - 1) / h;
  to.height = (from.height + v - 1) / v;
  for (uint32_t y = 0; y < to.height; ++y) {
    for (uint32_t x = 0; x < to.width; ++x) {
      uint32_t sum = 0;
      for (uint32_t j = 0; j < v; ++j) {
        for (uint32_t i = 0; i < h; ++i) {
          const uint32_t row = std::min(y * v + j, from.height - 1);
          sum += from.samples[row * from.width + std::min(x * h + i, from.width - 1)];
        }
      }
      to.samples.push_back(static_cast<uint8_t>((sum + h * v / 2) / (h * v)));
    }
  }
  return to;
}

double PlanePsnr(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
  return sum == 0 ? 99 : 10 * std::log10(255 * 255 * a.size() / sum);
}

TEST_F(JpegFoldTest, ChromaIsThatOfHalvedPlanesAndLumaIsAsBefore) {
  const std::pair<uint32_t, uint32_t> sizes[] = {{1, 1},   {7, 9},   {8, 8},   {16, 16},
                                                 {17, 33}, {24, 40}, {97, 61}, {200, 120}};
  for (const auto& [width, height] : sizes) {
    for (const Sampling luma : {Sampling{1, 1}, {2, 1}, {1, 2}}) {
      for (const bool is_progressive : {false, true}) {
        SCOPED_TRACE(testing::Message() << width << "x" << height << " " << luma.h << luma.v);
        const auto jpeg = MakeJpeg({.width = width,
                                    .height = height,
                                    .sampling = {luma},
                                    .quality = 97,
                                    .is_progressive = is_progressive});
        const auto made = Folded(jpeg, 96);
        EXPECT_EQ(Info(made).planar.planes, ImageLayout::Ycbcr(width, height, 2, 2).planes);
        const PlainPlanes before = PlainDecode(jpeg, true, 1), after = PlainDecode(made, true, 1);
        EXPECT_GT(PlanePsnr(before[0], after[0]), 45);
        for (size_t p = 1; p < 3; ++p) {
          const PlaneLayout own = Info(jpeg).planar.planes[p];
          const Plane halved = Halved({before[p], own.width, own.height}, 2 / luma.h, 2 / luma.v);
          ASSERT_EQ(halved.samples.size(), after[p].size());
          EXPECT_GT(PlanePsnr(halved.samples, after[p]), 36) << "plane " << p;
        }
      }
    }
  }
}

TEST_F(JpegFoldTest, AFlatImageStaysAsItIs) {
  // Seven grays and colors, each a block with nothing but a mean.
  for (const int quality : {50, 90}) {
    const auto jpeg = MakeJpeg({.width = 1, .height = 1, .quality = 100});
    const PlainPlanes before = PlainDecode(jpeg, true, 1);
    const PlainPlanes after = PlainDecode(Folded(jpeg, quality), true, 1);
    for (size_t p = 0; p < 3; ++p) EXPECT_NEAR(before[p][0], after[p][0], quality == 90 ? 2 : 9);
  }
}

TEST_F(JpegFoldTest, OnlyFinerChromaThanWantedIsFolded) {
  EncodeOptions options;
  const auto can = [&](Sampling luma, uint8_t h, uint8_t v) {
    options.chroma_h = h;
    options.chroma_v = v;
    return CanTranscodeJpeg(Info(MakeJpeg({.sampling = {luma}})), options);
  };
  EXPECT_TRUE(can({1, 1}, 2, 2));
  EXPECT_TRUE(can({2, 1}, 2, 2));
  EXPECT_TRUE(can({1, 2}, 2, 2));
  EXPECT_TRUE(can({2, 2}, 2, 2));
  EXPECT_TRUE(can({1, 1}, 1, 1));
  EXPECT_FALSE(can({2, 2}, 1, 1));
  EXPECT_FALSE(can({1, 1}, 2, 1));
  EXPECT_FALSE(can({4, 1}, 2, 2));
}

}  // namespace
}  // namespace pixpress
