#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "codecs/codec.h"
#include "image/image.h"

namespace pixpress {
namespace {

class JpegTest : public testing::Test {
 protected:
  static uint8_t Sample(uint32_t x, uint32_t y, uint32_t c) {
    return static_cast<uint8_t>(128 + 90 * std::sin(x * 0.11 + c) * std::cos(y * 0.07));
  }
  Image Picture(const ImageLayout& layout) {
    Image image = Image::Create(layout, meter_).value();
    for (size_t p = 0; p < layout.plane_count; ++p) {
      for (uint32_t y = 0; y < layout.planes[p].height; ++y) {
        for (uint32_t x = 0; x < layout.row_bytes(p); ++x) image.row(p, y)[x] = Sample(x, y, p);
      }
    }
    return image;
  }
  std::vector<uint8_t> Encode(const ImageLayout& layout, const EncodeOptions& options,
                              const Metadata& metadata = {}) {
    auto source = MakeImageSource(Picture(layout), {});
    ByteChain out(meter_);
    const size_t before = meter_.current_bytes();
    const Status status = kJpegCodec.encode(*source, options, metadata, context_, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter_.peak_bytes() - before, kJpegCodec.encode_memory_bytes(layout, options));
    std::vector<uint8_t> bytes(out.size_bytes());
    out.CopyTo(bytes.data());
    return bytes;
  }
  Result<Image> Decode(Bytes bytes, const DecodeOptions& options) {
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, kJpegCodec.probe(bytes, bytes.size(), limits_));
    Meter meter(pool_);
    WorkContext context{meter, context_.stop, parallel_};
    PIXPRESS_ASSIGN_OR_RETURN(auto source,
                              kJpegCodec.decode(bytes, info, options, limits_, context));
    EXPECT_LE(meter.peak_bytes(), kJpegCodec.decode_memory_bytes(info, options));
    EXPECT_EQ(source->layout().planes, kJpegCodec.decoded_layout(info, options).planes);
    return CollectRows(*source, context_);
  }
  static double Psnr(const Image& a, const Image& b) {
    double sum = 0, count = 0;
    for (size_t p = 0; p < a.layout().plane_count; ++p) {
      for (uint32_t y = 0; y < a.layout().planes[p].height; ++y) {
        for (size_t x = 0; x < a.layout().row_bytes(p); ++x, ++count) {
          sum += std::pow(a.row(p, y)[x] - b.row(p, y)[x], 2);
        }
      }
    }
    return sum == 0 ? 99 : 10 * std::log10(255 * 255 * count / sum);
  }

  BufferPool pool_{1 << 28};
  Meter meter_{pool_};
  SerialParallel parallel_;
  WorkContext context_{meter_, {}, parallel_};
  Limits limits_;
};

TEST_F(JpegTest, PlanesSurviveEverySamplingSizeAndEffort) {
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

TEST_F(JpegTest, GrayAndRgbSurvive) {
  for (const ColorModel color : {ColorModel::kGray, ColorModel::kRgb}) {
    const ImageLayout layout = ImageLayout::Interleaved(99, 55, color, false);
    const auto bytes = Encode(layout, {.quality = 95, .chroma_h = 1, .chroma_v = 1});
    const Result<Image> back = Decode(bytes, {});
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_GT(Psnr(Picture(layout), back.value()), 30);
  }
}

TEST_F(JpegTest, EveryScaleYieldsThePlannedPlanes) {
  for (int sampling = 0; sampling < 4; ++sampling) {
    const auto bytes = Encode(ImageLayout::Ycbcr(101, 67, 1 + sampling % 2, 1 + sampling / 2), {});
    for (const uint8_t scale : {1, 2, 4, 8}) {
      for (const bool planar : {false, true}) {
        const Result<Image> back = Decode(bytes, {.planar = planar, .scale_denominator = scale});
        ASSERT_TRUE(back.ok()) << back.status().message();
        EXPECT_EQ(back.value().layout().width, (101u + scale - 1) / scale);
      }
    }
  }
}

TEST_F(JpegTest, TruncatedFilesAreCorrupt) {
  for (const int effort : {5, 8}) {
    const auto bytes = Encode(ImageLayout::Ycbcr(200, 200, 2, 2), {.effort = effort});
    for (size_t size = 3; size < bytes.size() * 9 / 10; size += 97) {
      const Result<Image> back = Decode(Bytes(bytes).first(size), {});
      ASSERT_FALSE(back.ok()) << size;
      EXPECT_EQ(back.status().code(), StatusCode::kCorruptImage) << size;
    }
  }
}

TEST_F(JpegTest, TooManyScansAreRefused) {
  const auto bytes = Encode(ImageLayout::Ycbcr(64, 64, 2, 2), {.effort = 8});
  limits_.max_scans = 3;
  EXPECT_EQ(Decode(bytes, {}).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(JpegTest, AStopEndsDecoding) {
  const auto bytes = Encode(ImageLayout::Ycbcr(64, 64, 2, 2), {.effort = 8});
  StopSource stop;
  context_.stop = StopToken(stop);
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(Decode(bytes, {}).status().code(), StatusCode::kCancelled);
}

TEST_F(JpegTest, RewritingKeepsPixelsAndDropsWhatThePolicyDrops) {
  Metadata metadata;
  metadata.icc.assign(150'000, 7);
  metadata.xmp = {'x'};
  metadata.comments = {"private"};
  metadata.orientation = 6;
  auto bytes = Encode(ImageLayout::Ycbcr(80, 60, 2, 2), {}, metadata);
  bytes.push_back('!');
  ByteChain out(meter_);
  ASSERT_TRUE(kJpegCodec.rewrite(bytes, MetadataPolicy::kSafe, limits_, context_, &out).ok());
  std::vector<uint8_t> rewritten(out.size_bytes());
  out.CopyTo(rewritten.data());
  EXPECT_EQ(rewritten.back(), 0xD9);
  const Metadata kept = kJpegCodec.read_metadata(rewritten, limits_).value();
  EXPECT_EQ(kept.icc, metadata.icc);
  EXPECT_EQ(kept.orientation, 6);
  EXPECT_TRUE(kept.xmp.empty());
  EXPECT_TRUE(kept.comments.empty());
  EXPECT_EQ(Psnr(Decode(bytes, {}).value(), Decode(rewritten, {}).value()), 99);
}

TEST_F(JpegTest, TheCorpusDecodesOrFailsWithATypedError) {
  const char* given = std::getenv("PIXPRESS_CORPUS");
  const std::filesystem::path corpus =
      given != nullptr
          ? std::filesystem::path(given)
          : std::filesystem::path(__FILE__).parent_path() / "../../../../shared/corpus";
  if (!std::filesystem::is_directory(corpus)) GTEST_SKIP() << "no corpus at " << corpus;
  for (const char* folder : {"photos_jpeg", "odd_jpeg", "bad"}) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus / folder)) {
      if (!entry.path().extension().string().starts_with(".jp")) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
      for (const bool planar : {false, true}) {
        const Result<Image> back = Decode(bytes, {.planar = planar, .scale_denominator = 2});
        if (back.ok()) continue;
        EXPECT_NE(back.status().code(), StatusCode::kInternal) << entry.path();
        EXPECT_STRNE(folder, "photos_jpeg") << entry.path() << back.status().message();
        std::printf("%s: %s\n", entry.path().filename().c_str(), back.status().message().c_str());
      }
    }
  }
}

}  // namespace
}  // namespace pixpress
