// What the encoder writes decodes to the same pixels, in the smallest layout, with any threads.

#include <atomic>
#include <thread>

#include "codecs/png/fixture.h"

namespace pixpress {
namespace {

ImageLayout LayoutOf(uint32_t width, uint32_t height, uint32_t channels, uint8_t bits = 8) {
  return ImageLayout::Interleaved(
      width, height, channels < 3 ? ColorModel::kGray : ColorModel::kRgb, channels % 2 == 0, bits);
}

uint32_t Noise(uint32_t x, uint32_t y, uint32_t c) {
  uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA6Bu ^ c * 0xC2B2AE35u;
  h = (h ^ h >> 15) * 0x2C1B3C6Du;
  return h ^ h >> 13;
}

Metadata WithProfile(std::string_view color_space) {
  Metadata metadata;
  metadata.icc = ByteVector(16) + Text(color_space);
  return metadata;
}

// Runs bodies on threads of its own, last index first.
class BackwardParallel final : public Parallel {
 public:
  Status For(size_t count, const std::function<Status(size_t)>& body) override {
    ++calls;
    std::vector<Status> statuses(count);
    std::vector<std::thread> threads;
    for (size_t i = count; i-- > 0;) {
      threads.emplace_back([&, i] { statuses[i] = body(i); });
    }
    for (std::thread& thread : threads) thread.join();
    for (Status& status : statuses) PIXPRESS_RETURN_IF_ERROR(std::move(status));
    return Status();
  }
  size_t width() const override { return 16; }

  int calls = 0;
};

class PngEncodeTest : public PngTest {
 protected:
  // Encodes, decodes, compares, and returns (depth, color type).
  std::pair<int, int> RoundTrip(const Image& image, int effort = 5, const Metadata& metadata = {}) {
    const ByteVector png = Encode(image, {.effort = effort}, metadata);
    const auto decoded = Decode(png);
    EXPECT_TRUE(decoded.ok()) << decoded.status().message();
    if (decoded.ok()) ExpectSamePixels(decoded.value(), image);
    return {png[24], png[25]};
  }
};

TEST_F(PngEncodeTest, EveryLayoutSurvivesEveryEffort) {
  for (const uint8_t bits : {8, 16}) {
    for (uint32_t channels = 1; channels <= 4; ++channels) {
      for (int effort = 1; effort <= 10; ++effort) {
        SCOPED_TRACE(testing::Message()
                     << int{bits} << " bits, " << channels << " channels, effort " << effort);
        const Image noise = Make(LayoutOf(61, 33, channels, bits), Noise);
        EXPECT_EQ(RoundTrip(noise, effort).first, bits);
        RoundTrip(Make(LayoutOf(61, 33, channels, bits),
                       [&](uint32_t x, uint32_t y, uint32_t c) { return x * 5 + y * 3 + c * 40; }),
                  effort);
      }
    }
  }
}

TEST_F(PngEncodeTest, OnePixelSurvives) {
  for (uint32_t channels = 1; channels <= 4; ++channels) {
    RoundTrip(Make(LayoutOf(1, 1, channels), Noise));
  }
}

TEST_F(PngEncodeTest, FewGraysTakeFewBits) {
  for (const auto& [step, depth] : {std::pair(255u, 1), {85u, 2}, {17u, 4}, {1u, 8}}) {
    const Image image = Make(LayoutOf(67, 30, 1), [&](uint32_t x, uint32_t y, uint32_t) {
      return Noise(x, y, 0) % (255 / step + 1) * step;
    });
    EXPECT_EQ(RoundTrip(image), std::pair(depth, 0));
  }
}

TEST_F(PngEncodeTest, FewColorsBecomeAPaletteOfFewBits) {
  for (const auto& [colors, depth] : {std::pair(2u, 1), {4u, 2}, {5u, 4}, {16u, 4}, {17u, 8}}) {
    const Image image = Make(LayoutOf(97, 80, 4), [&](uint32_t x, uint32_t y, uint32_t c) {
      return Noise(Noise(x, y, 0) % colors, 0, c) % 250;
    });
    EXPECT_EQ(RoundTrip(image, 4), std::pair(depth, 3)) << colors;
    EXPECT_EQ(RoundTrip(image, 5).second, 3) << colors;
  }
  const Image many = Make(LayoutOf(97, 80, 3), [&](uint32_t x, uint32_t y, uint32_t c) {
    return c == 0 ? (x + y * 97) % 257 % 256 : (x + y * 97) % 257 / 256;
  });
  EXPECT_EQ(RoundTrip(many), std::pair(8, 2));
}

TEST_F(PngEncodeTest, APaletteThatCostsMoreThanItSavesIsNotMade) {
  EXPECT_EQ(RoundTrip(Make(LayoutOf(8, 8, 3), Noise)), std::pair(8, 2));
}

TEST_F(PngEncodeTest, TheGroundIsInTheFirstHalfOfAPaletteAndTransparencyBeforeAll) {
  for (const uint32_t ground : {20u, 220u}) {
    const Image image = Make(LayoutOf(97, 80, 4), [&](uint32_t x, uint32_t y, uint32_t c) {
      const uint32_t color = Noise(x, y, 0) % 2 == 0 ? ground : Noise(x, y, 1) % 40 * 6;
      if (x == 0) return c == 3 ? 0u : 99u;
      return c == 3 ? 255u : color + c;
    });
    EXPECT_EQ(RoundTrip(image), std::pair(8, 3));
    const ByteVector palette = ChunkData(Encode(image), "PLTE");
    EXPECT_EQ(ChunkData(Encode(image), "tRNS"), ByteVector{0});
    EXPECT_EQ(palette[0], 99);
    const auto is_ground = [&](size_t i) { return palette[3 * i] == ground; };
    size_t at = 0;
    while (!is_ground(at)) ++at;
    EXPECT_LE(at, palette.size() / 6) << ground;
  }
}

TEST_F(PngEncodeTest, FewGraysThatLieApartBecomeAPaletteUnlessAProfileIsOfGray) {
  const Image image = Make(LayoutOf(97, 80, 1), [](uint32_t x, uint32_t y, uint32_t) {
    return Noise(x, y, 0) % 3 * 100;
  });
  for (const int effort : {4, 5, 8}) {
    EXPECT_EQ(RoundTrip(image, effort), std::pair(2, 3)) << effort;
    EXPECT_EQ(RoundTrip(image, effort, WithProfile("GRAY")), std::pair(8, 0)) << effort;
  }
}

TEST_F(PngEncodeTest, TheLayoutThatDeflatesToLessIsTaken) {
  // Few colors, but a row is the one above it and one more.
  const Image smooth =
      Make(LayoutOf(97, 80, 3), [](uint32_t x, uint32_t y, uint32_t c) { return x + y + 10 * c; });
  EXPECT_EQ(RoundTrip(smooth, 4), std::pair(8, 3));
  EXPECT_EQ(RoundTrip(smooth, 5), std::pair(8, 2));
  EXPECT_LT(Encode(smooth, {.effort = 5}).size(), Encode(smooth, {.effort = 4}).size() / 2);
  // Large enough to be looked at in strips.
  const Image tall = Make(LayoutOf(97, 2000, 3),
                          [](uint32_t x, uint32_t y, uint32_t c) { return (x + y) % 250 + c; });
  EXPECT_EQ(RoundTrip(tall, 5), std::pair(8, 2));
}

TEST_F(PngEncodeTest, OpaqueAlphaAndGrayColorsAreDropped) {
  for (const uint8_t bits : {8, 16}) {
    const uint32_t opaque = bits == 16 ? 65535 : 255;
    const Image opaque_rgba =
        Make(LayoutOf(50, 50, 4, bits),
             [&](uint32_t x, uint32_t y, uint32_t c) { return c == 3 ? opaque : Noise(x, y, c); });
    EXPECT_EQ(RoundTrip(opaque_rgba), std::pair(int{bits}, 2));
    const Image gray = Make(LayoutOf(50, 50, 4, bits), [&](uint32_t x, uint32_t y, uint32_t c) {
      return c == 3 ? opaque : Noise(x, y, 0);
    });
    EXPECT_EQ(RoundTrip(gray), std::pair(int{bits}, 0));
    const Image gray_alpha =
        Make(LayoutOf(50, 50, 4, bits), [&](uint32_t x, uint32_t y, uint32_t c) {
          return c == 3 ? Noise(x, y, 9) : Noise(x, y, 0);
        });
    EXPECT_EQ(RoundTrip(gray_alpha), std::pair(int{bits}, 4));
  }
}

TEST_F(PngEncodeTest, OneTransparentColorBecomesAColorKeyOnlyWhereThatIsExact) {
  for (const uint8_t bits : {8, 16}) {
    const uint32_t opaque = bits == 16 ? 65535 : 255;
    const auto key_image = [&](bool is_elsewhere, bool has_two, uint32_t clear) {
      return Make(LayoutOf(50, 50, 4, bits), [=](uint32_t x, uint32_t y, uint32_t c) -> uint32_t {
        if (y == 0 && x < 9) return c == 3 ? clear : 7;
        if (y == 1 && x == 0 && is_elsewhere) return c == 3 ? opaque : 7;
        if (y == 2 && x == 0 && has_two) return c == 3 ? 0 : 8;
        return c == 3 ? opaque : Noise(x, y, c) % (opaque - 9) + 9;
      });
    };
    EXPECT_EQ(RoundTrip(key_image(false, false, 0)), std::pair(int{bits}, 2));
    EXPECT_EQ(RoundTrip(key_image(true, false, 0)), std::pair(int{bits}, 6));
    EXPECT_EQ(RoundTrip(key_image(false, true, 0)), std::pair(int{bits}, 6));
    EXPECT_EQ(RoundTrip(key_image(false, false, 1)), std::pair(int{bits}, 6));
  }
  // A key of few bits.
  const Image image = Make(LayoutOf(50, 50, 2), [](uint32_t x, uint32_t y, uint32_t c) -> uint32_t {
    if (x == 3) return c == 1 ? 0 : 85;
    return c == 1 ? 255 : Noise(x, y, 0) % 2 * 170;
  });
  EXPECT_EQ(RoundTrip(image, 5, WithProfile("GRAY")), std::pair(2, 0));
}

TEST_F(PngEncodeTest, AProfileTiesThePixelsToItsColors) {
  const Image gray =
      Make(LayoutOf(50, 50, 3), [](uint32_t x, uint32_t y, uint32_t) { return Noise(x, y, 0); });
  EXPECT_EQ(RoundTrip(gray), std::pair(8, 0));
  EXPECT_EQ(RoundTrip(gray, 5, WithProfile("RGB ")).second, 3);
  const Image few = Make(LayoutOf(50, 50, 2),
                         [](uint32_t x, uint32_t y, uint32_t c) { return Noise(x, y, c) % 7 + 3; });
  EXPECT_EQ(RoundTrip(few, 4).second, 3);
  EXPECT_EQ(RoundTrip(few, 4, WithProfile("GRAY")).second, 4);
}

TEST_F(PngEncodeTest, LargeImagesAreTheSameBytesOnAnyThreads) {
  // More than one wave of pieces: smooth, then noise, then flat.
  const Image image = Make(LayoutOf(1700, 3500, 3), [](uint32_t x, uint32_t y, uint32_t c) {
    return y < 800 ? x / 9 + y / 7 + c * 30 : y < 1200 ? Noise(x, y, c) : 40u;
  });
  for (const int effort : {1, 5, 7}) {
    const ByteVector serial = Encode(image, {.effort = effort});
    BackwardParallel parallel;
    Meter meter(pool_);
    const WorkContext context{meter, {}, parallel};
    auto source = MakeBorrowedSource(image.layout(), image.row(0, 0), image.stride_bytes(0), {});
    ByteChain out(meter);
    ASSERT_TRUE(kPngCodec.encode(*source, {.effort = effort}, {}, context, &out).ok());
    EXPECT_GE(parallel.calls, 4);
    EXPECT_TRUE(Flat(out) == serial);
    ExpectSamePixels(Decode(serial).value(), image);
  }
}

TEST_F(PngEncodeTest, RowsLongerThanABlockSurvive) {
  RoundTrip(Make(LayoutOf(400'000, 5, 3),
                 [](uint32_t x, uint32_t y, uint32_t c) { return x / 50 + y * 3 + c; }),
            2);
}

TEST_F(PngEncodeTest, NoiseCostsNextToNothing) {
  for (const uint32_t height : {100u, 3000u}) {
    const Image noise = Make(LayoutOf(600, height, 3), Noise);
    const size_t raw_bytes = size_t{height} * (600 * 3 + 1);
    EXPECT_LE(Encode(noise, {.effort = 5}).size(), raw_bytes + raw_bytes / 1000 + 200);
  }
}

TEST_F(PngEncodeTest, AStopEndsEncodingAtTheNextBlock) {
  const Image image = Make(LayoutOf(1700, 2000, 3), Noise);
  class StopAfterFirst final : public Parallel {
   public:
    explicit StopAfterFirst(StopSource* stop) : stop_(stop) {}
    Status For(size_t count, const std::function<Status(size_t)>& body) override {
      for (size_t i = 0; i < count; ++i) {
        ++bodies;
        PIXPRESS_RETURN_IF_ERROR(body(i));
        stop_->RequestStop(StopReason::kCancelled);
      }
      return Status();
    }
    size_t width() const override { return 1; }
    int bodies = 0;

   private:
    StopSource* stop_;
  };
  StopSource stop;
  StopAfterFirst parallel(&stop);
  const WorkContext context{meter_, StopToken(stop), parallel};
  auto source = MakeBorrowedSource(image.layout(), image.row(0, 0), image.stride_bytes(0), {});
  ByteChain out(meter_);
  EXPECT_EQ(kPngCodec.encode(*source, {}, {}, context, &out).code(), StatusCode::kCancelled);
  EXPECT_EQ(parallel.bodies, 2);
}

}  // namespace
}  // namespace pixpress
