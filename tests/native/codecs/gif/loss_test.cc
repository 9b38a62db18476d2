#include "codecs/gif/loss.h"

#include <algorithm>
#include <random>

#include "codecs/gif/fixture.h"
#include "codecs/gif/lzw_decoder.h"
#include "codecs/gif/lzw_encoder.h"

namespace pixpress {
namespace {

EncodeOptions OfQuality(int quality) {
  EncodeOptions options;
  options.quality = quality;
  return options;
}

class GifLossTest : public GifTest {
 protected:
  // A canvas on which blobs of a few colors drift over dithered noise, with holes.
  Image Drifting(uint32_t seed, uint32_t frame, uint32_t side) {
    std::mt19937 random(seed * 100 + frame);
    Image canvas =
        Image::Create(ImageLayout::Interleaved(side, side, ColorModel::kRgb, true), meter_).value();
    for (uint32_t y = 0; y < side; ++y) {
      for (uint32_t x = 0; x < side; ++x) {
        const bool is_noise = (x / 8 + y / 8 + seed) % 3 == 0;
        const uint32_t blob = (x + frame * (seed % 4)) / 9 + y / 7 * 5;
        const uint32_t value = is_noise ? 90 + random() % 5 * 9 : blob * 37 % 11 * 20;
        const bool is_hole = seed % 2 == 0 && (x + 3 * frame) % 19 == 0;
        const auto gray = static_cast<uint8_t>(value);
        const uint8_t rgba[] = {gray, static_cast<uint8_t>(gray / 2),
                                static_cast<uint8_t>(gray ^ 7),
                                static_cast<uint8_t>(is_hole ? 0 : 255)};
        std::memcpy(canvas.row(0, y) + x * 4, rgba, 4);
      }
    }
    return canvas;
  }

  std::vector<uint8_t> EncodeDrifting(uint32_t seed, uint32_t frames, const EncodeOptions& options,
                                      uint32_t side = 40) {
    std::vector<Image> canvases;
    for (uint32_t i = 0; i < frames; ++i) canvases.push_back(Drifting(seed, i, side));
    return Encode(std::move(canvases), std::vector(frames, FrameDuration{1, 10}), 0, options);
  }
};

// The squared distance of shown from wanted pixels, at most; -1 where transparency differs.
int32_t FarthestOf(const Image& wanted, const Image& shown) {
  int32_t farthest = 0;
  for (uint32_t y = 0; y < wanted.layout().height; ++y) {
    for (uint32_t x = 0; x < wanted.layout().width; ++x) {
      uint32_t colors[2];
      std::memcpy(&colors[0], wanted.row(0, y) + x * 4, 4);
      std::memcpy(&colors[1], shown.row(0, y) + x * 4, 4);
      if (colors[0] >> 24 != colors[1] >> 24) return -1;
      if (colors[0] >> 24 == 0) continue;
      farthest = std::max(farthest, SquaredLength(GifDifference(colors[0], colors[1])));
    }
  }
  return farthest;
}

TEST_F(GifLossTest, EveryPixelOfRandomAnimationsKeepsToItsBound) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const int quality = 1 + static_cast<int>(seed * 17 % 85);
    EncodeOptions options = OfQuality(quality);
    options.effort = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 5 : 8;
    const auto shown = Play(EncodeDrifting(seed, 5, options));
    ASSERT_TRUE(shown.ok()) << shown.status().message();
    // Frames that become equal are one: what is shown at the middle of each tenth.
    size_t at = 0;
    double end_s = 0;
    for (uint32_t frame = 0; frame < 5; ++frame) {
      while (at < shown.value().canvases.size() && end_s < frame * 0.1 + 0.05) {
        const FrameDuration& duration = shown.value().durations[at++];
        end_s += double{1} * duration.numerator / duration.denominator;
      }
      const int32_t farthest =
          FarthestOf(Drifting(seed, frame, 40), shown.value().canvases[at - 1]);
      // Half a gray level for each step below 80, once for what is kept and once for what is drawn.
      const int32_t gray = SquaredLength(GifDifference(0xFF010101, 0xFF000000));
      const int32_t steps = std::max(0, 80 - quality);
      ASSERT_GE(farthest, 0) << "seed " << seed << " frame " << frame;
      ASSERT_LE(farthest, gray * steps * steps) << "seed " << seed << " frame " << frame;
    }
  }
}

TEST_F(GifLossTest, AFrameWithLossIsNotLargerThanAnExactOne) {
  size_t smaller = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const size_t exact_bytes = EncodeDrifting(seed, 1, OfQuality(80)).size();
    for (const int quality : {79, 50, 5}) {
      const size_t bytes = EncodeDrifting(seed, 1, OfQuality(quality)).size();
      ASSERT_LE(bytes, exact_bytes) << "seed " << seed << " quality " << quality;
      smaller += bytes < exact_bytes ? 1 : 0;
    }
  }
  EXPECT_GT(smaller, 60u);
}

TEST_F(GifLossTest, LosslessHasNoLossAtAnyQuality) {
  EncodeOptions options = OfQuality(10);
  options.lossless = true;
  EXPECT_EQ(EncodeDrifting(4, 5, options), EncodeDrifting(4, 5, OfQuality(80)));
  EXPECT_EQ(EncodeDrifting(4, 5, OfQuality(100)), EncodeDrifting(4, 5, OfQuality(80)));
}

std::vector<uint8_t> Written(GifLzwEncoder& encoder, BufferPool& pool, auto write) {
  Meter meter(pool);
  ByteChain out(meter);
  EXPECT_TRUE(encoder.Start(8, &out).ok());
  EXPECT_TRUE(write().ok());
  EXPECT_TRUE(encoder.Finish().ok());
  std::vector<uint8_t> bytes(out.size_bytes());
  out.CopyTo(bytes.data());
  return bytes;
}

TEST_F(GifLossTest, IndicesAreNearAndTransparencyIsExact) {
  BufferPool pool(1 << 20);
  GifLzwEncoder encoder = GifLzwEncoder::Create(meter_).value();
  GifLzwDecoder decoder = GifLzwDecoder::Create(meter_).value();
  std::mt19937 random(31);
  for (int round = 0; round < 40; ++round) {
    std::vector<uint32_t> palette(256);
    for (uint32_t& color : palette) color = 0xFF000000 | (random() & 0x3F3F3F);
    GifLoss loss(OfQuality(1 + round * 2 % 79));
    loss.SetPalette(palette);
    const int free_index = round % 3 == 0 ? -1 : 200;
    std::vector<uint8_t> indices(5000), free(5000);
    for (size_t i = 0; i < indices.size(); ++i) {
      indices[i] = static_cast<uint8_t>(random() >> (i / 1000));
      free[i] = free_index >= 0 && random() % 3 == 0 ? 1 : 0;
    }
    const auto bytes = Written(encoder, pool, [&] {
      return encoder.WriteWithChoice(indices, free, free_index, loss, {});
    });
    std::vector<uint8_t> shown(indices.size());
    ASSERT_TRUE(decoder.Start(Bytes(bytes).subspan(1), bytes[0]).ok());
    ASSERT_TRUE(decoder.Read(shown).ok());
    for (size_t i = 0; i < indices.size(); ++i) {
      if (shown[i] == indices[i] || (free[i] != 0 && shown[i] == free_index)) continue;
      ASSERT_EQ(free[i], 0) << "round " << round;
      ASSERT_NE(shown[i], free_index) << "round " << round;
      ASSERT_NE(indices[i], free_index) << "round " << round;
      ASSERT_TRUE(loss.Allows(palette[indices[i]], palette[shown[i]])) << "round " << round;
    }
  }
}

TEST_F(GifLossTest, LongRunsStayLongStrings) {
  BufferPool pool(1 << 20);
  GifLzwEncoder encoder = GifLzwEncoder::Create(meter_).value();
  GifLoss loss(OfQuality(50));
  const std::vector<uint32_t> palette = {0xFF000000, 0xFF020202, 0xFFFFFFFF};
  loss.SetPalette(palette);
  const std::vector<uint8_t> flat(200'000, 2);
  const auto lossy =
      Written(encoder, pool, [&] { return encoder.WriteWithChoice(flat, {}, -1, loss, {}); });
  const auto exact = Written(encoder, pool, [&] { return encoder.Write(flat); });
  EXPECT_LE(lossy.size(), exact.size());
}

}  // namespace
}  // namespace pixpress
