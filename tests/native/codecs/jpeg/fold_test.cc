#include "codecs/jpeg/fold.h"

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

class JpegFoldTest : public JpegTest {
 protected:
  std::vector<uint8_t> Folded(Bytes jpeg, int quality, int effort = 2) {
    return Transcode(jpeg, {.quality = quality, .effort = effort});
  }
  std::vector<uint8_t> Kept(Bytes jpeg, int quality, int effort) {
    const ImageLayout planes = Info(jpeg).planar;
    return Transcode(jpeg, {.quality = quality,
                            .effort = effort,
                            .chroma_h = static_cast<uint8_t>(planes.max_h_samples()),
                            .chroma_v = static_cast<uint8_t>(planes.max_v_samples())});
  }
  // Nothing if the image was left to pixels.
  std::vector<uint8_t> Transcode(Bytes jpeg, const EncodeOptions& options) {
    const ImageInfo info = Info(jpeg);
    EXPECT_TRUE(CanTranscodeJpeg(info, options));
    Meter meter(pool_);
    const WorkContext context{meter, {}, parallel_};
    ByteChain out(meter);
    const auto done = TranscodeJpeg(jpeg, info, options, limits_, {}, context, &out);
    EXPECT_TRUE(done.ok()) << done.status().message();
    EXPECT_EQ(done.ok() && done.value(), out.size_bytes() > 0);
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

TEST_F(JpegFoldTest, LumaIsToTheCoefficientWhatItIsWithSamplingKept) {
  for (const auto& [width, height] : {std::pair{1u, 1u}, {24u, 40u}, {97u, 61u}, {200u, 72u}}) {
    for (const Sampling luma : {Sampling{1, 1}, {2, 1}, {1, 2}}) {
      for (const unsigned interval : {0u, 2u}) {
        SCOPED_TRACE(testing::Message() << width << "x" << height << " " << luma.h << luma.v);
        const auto jpeg = MakeJpeg({.width = width,
                                    .height = height,
                                    .sampling = {luma},
                                    .quality = 97,
                                    .noise = 40,
                                    .restart_interval = interval});
        std::vector<int> folded = PlainCoefficients(Folded(jpeg, 70));
        std::vector<int> kept = PlainCoefficients(Kept(jpeg, 70, 2));
        const size_t count = 64 + 64 * ((width + 7) / 8) * ((height + 7) / 8);
        folded.resize(count);
        kept.resize(count);
        EXPECT_EQ(folded, kept);
      }
    }
  }
}

TEST_F(JpegFoldTest, ATruncatedImageIsLeftToTheWayThroughPixels) {
  for (const Sampling luma : {Sampling{1, 1}, {2, 1}, {1, 2}}) {
    for (const unsigned interval : {0u, 3u}) {
      const auto jpeg = MakeJpeg({.width = 90,
                                  .height = 70,
                                  .sampling = {luma},
                                  .quality = 90,
                                  .noise = 30,
                                  .restart_interval = interval});
      for (const int effort : {2, 5}) {
        EXPECT_FALSE(Folded(jpeg, 60, effort).empty());
        for (size_t cut = 2; cut < jpeg.size() / 2; cut += 97) {
          EXPECT_TRUE(Folded(Bytes(jpeg).first(jpeg.size() - cut - 2), 60, effort).empty()) << cut;
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
