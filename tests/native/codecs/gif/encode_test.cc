#include <random>

#include "codecs/gif/blocks.h"
#include "codecs/gif/fixture.h"

namespace pixpress {
namespace {

class GifEncodeTest : public GifTest {
 protected:
  Image Canvas(const Rows& rows) {
    const uint32_t width = static_cast<uint32_t>(rows[0].size());
    Image image = Image::Create(ImageLayout::Interleaved(width, static_cast<uint32_t>(rows.size()),
                                                         ColorModel::kRgb, true),
                                meter_)
                      .value();
    for (uint32_t y = 0; y < rows.size(); ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        const char c = rows[y][x];
        const auto on = [&](char own) -> uint8_t { return c == own || c == 'w' ? 255 : 0; };
        const uint8_t rgba[] = {on('r'), on('g'), on('b'), c == '.' ? uint8_t{0} : uint8_t{255}};
        std::memcpy(image.row(0, y) + x * 4, rgba, 4);
      }
    }
    return image;
  }

  std::vector<Image> Canvases(const std::vector<Rows>& all) {
    std::vector<Image> canvases;
    for (const Rows& rows : all) canvases.push_back(Canvas(rows));
    return canvases;
  }

  void ExpectComesBack(const std::vector<Rows>& all) {
    for (const int effort : {1, 5, 8}) {
      EncodeOptions options;
      options.effort = effort;
      const auto gif = Encode(Canvases(all), Tenths(all.size()), 3, options);
      EXPECT_EQ(PlayDrawn(gif), all) << "effort " << effort;
      EXPECT_EQ(Probe(gif).value().loop_count, 3u);
    }
  }

  static std::vector<FrameDuration> Tenths(size_t frames) {
    return std::vector<FrameDuration>(frames, FrameDuration{1, 10});
  }

  std::vector<uint8_t> EncodeStill(const Image& indices, const Metadata& metadata = {},
                                   const EncodeOptions& options = {}) {
    const auto source =
        MakeBorrowedSource(indices.layout(), indices.row(0, 0), indices.stride_bytes(0), {});
    BufferPool pool(1 << 20);
    Meter meter(pool);
    const WorkContext context{.meter = meter, .stop = {}, .parallel = parallel_};
    ByteChain out(meter);
    const Status status = kGifCodec.encode(*source, options, metadata, context, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), kGifCodec.encode_memory_bytes(indices.layout(), options));
    std::vector<uint8_t> bytes(out.size_bytes());
    out.CopyTo(bytes.data());
    return bytes;
  }
};

TEST_F(GifEncodeTest, EveryStepBetweenOpaqueAndTransparentComesBack) {
  ExpectComesBack({{"rg", "bw"}, {"rr", "bw"}, {"r.", "bw"}, {"r.", "b."}, {"..", ".."}});
  ExpectComesBack({{"..", ".."}, {"..", ".r"}, {"..", ".."}, {"g.", ".."}, {"gg", "gg"}});
  ExpectComesBack({{"rrr"}, {"r.r"}, {"rrr"}, {".r."}, {"r.r"}, {"rrr"}});
}

TEST_F(GifEncodeTest, AFlickerUsesThePreviousCanvas) {
  ExpectComesBack({{"rrrrrrrr"}, {"rgrgrgrg"}, {"rrrrrrrr"}, {"grgrgrgr"}, {"rrrrrrrr"}});
}

TEST_F(GifEncodeTest, RandomCanvasesComeBack) {
  std::mt19937 random(21);
  for (int round = 0; round < 300; ++round) {
    const uint32_t width = 1 + random() % 9;
    std::vector<Rows> all;
    for (unsigned frame = 0; frame < 2 + random() % 6; ++frame) {
      Rows rows(1 + (round % 5), std::string(width, '.'));
      if (frame > 0 && random() % 2 == 0) rows = all.back();
      for (std::string& row : rows) {
        for (char& c : row) {
          if (random() % 3 == 0) c = "rgbwk.."[random() % 7];
        }
      }
      if (frame == 0 || rows != all.back()) all.push_back(rows);
    }
    ExpectComesBack(all);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(GifEncodeTest, EqualFramesBecomeOneThatIsShownAsLong) {
  const auto gif = Encode(Canvases({{"r"}, {"r"}, {"g"}, {"g"}, {"g"}, {"r"}}), Tenths(6), 0);
  const auto shown = Play(gif);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown.value().durations, (std::vector<FrameDuration>{{20, 100}, {30, 100}, {10, 100}}));
}

TEST_F(GifEncodeTest, DurationsTooLongForOneFrameTakeSeveral) {
  const auto gif = Encode(Canvases({{"r"}, {"r"}}), {{600, 1}, {600, 1}}, 0);
  const auto shown = Play(gif);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown.value().durations, (std::vector<FrameDuration>{{60000, 100}, {60000, 100}}));
}

TEST_F(GifEncodeTest, TwoHundredAndFiftySixColorsAreExactAndMoreAreQuantized) {
  for (const uint32_t colors : {255u, 256u, 257u, 4000u}) {
    std::vector<Image> canvases;
    for (uint32_t frame = 0; frame < 3; ++frame) {
      Image canvas = Canvas(Rows(64, std::string(64, 'r')));
      for (uint32_t i = 0; i < 64 * 64; ++i) {
        const uint32_t color = (i + frame * 7) % colors;
        uint8_t* pixel = canvas.row(0, i / 64) + i % 64 * 4;
        pixel[0] = static_cast<uint8_t>(color);
        pixel[1] = static_cast<uint8_t>(color >> 8 << 4);
      }
      canvases.push_back(std::move(canvas));
    }
    std::vector<Image> copies;
    for (const Image& canvas : canvases) copies.push_back(Copy(canvas));
    const auto shown = Play(Encode(std::move(copies), Tenths(3), 0));
    ASSERT_TRUE(shown.ok()) << shown.status().message();
    ASSERT_EQ(shown.value().canvases.size(), 3u);
    int worst = 0;
    for (size_t frame = 0; frame < 3; ++frame) {
      for (uint32_t y = 0; y < 64; ++y) {
        for (uint32_t x = 0; x < 64 * 4; ++x) {
          worst = std::max(worst, std::abs(canvases[frame].row(0, y)[x] -
                                           shown.value().canvases[frame].row(0, y)[x]));
        }
      }
    }
    // Quantized pixels are dithered, so single ones may be far off; the alpha never is.
    EXPECT_EQ(worst == 0, colors <= 256) << colors;
  }
}

// Noise of so many grays on a ramp, of which some pixels stand still from frame to frame.
Image NoisyRamp(Image canvas, uint32_t seed) {
  std::mt19937 random(seed);
  for (uint32_t y = 0; y < canvas.layout().height; ++y) {
    for (uint32_t x = 0; x < canvas.layout().width; ++x) {
      const bool is_still = (x + y) % 3 == 0;
      const auto gray = static_cast<uint8_t>(x + (is_still ? 4 : random() % 90));
      std::memset(canvas.row(0, y) + x * 4, gray, 3);
    }
  }
  return canvas;
}

TEST_F(GifEncodeTest, LossTakesLessBytesAndKeepsEveryPixelNear) {
  constexpr uint32_t kSide = 72;
  const Rows blank(kSide, std::string(kSide, 'k'));
  size_t last_bytes = SIZE_MAX;
  for (const int quality : {80, 60, 20}) {
    EncodeOptions options;
    options.quality = quality;
    std::vector<Image> canvases;
    for (uint32_t seed = 0; seed < 4; ++seed) canvases.push_back(NoisyRamp(Canvas(blank), seed));
    const auto gif = Encode(std::move(canvases), Tenths(4), 0, options);
    EXPECT_LT(gif.size(), last_bytes) << quality;
    last_bytes = gif.size();
    const auto shown = Play(gif);
    ASSERT_TRUE(shown.ok());
    ASSERT_EQ(shown.value().canvases.size(), 4u);
    int worst = 0;
    for (uint32_t seed = 0; seed < 4; ++seed) {
      const Image wanted = NoisyRamp(Canvas(blank), seed);
      for (uint32_t y = 0; y < kSide; ++y) {
        for (uint32_t x = 0; x < kSide * 4; ++x) {
          worst = std::max(
              worst, std::abs(wanted.row(0, y)[x] - shown.value().canvases[seed].row(0, y)[x]));
        }
      }
    }
    // Half a gray level for each step of quality, once for what is kept and once for what is drawn.
    EXPECT_LE(worst, 80 - quality);
    EXPECT_EQ(worst == 0, quality == 80);
  }
}

TEST_F(GifEncodeTest, LossLeavesTransparencyAsItIs) {
  // Near to black, as the place of transparency in the table is, and cleared from frame to frame.
  std::vector<Image> canvases;
  for (uint32_t frame = 0; frame < 4; ++frame) {
    Image canvas = Canvas(Rows(24, std::string(24, 'k')));
    for (uint32_t y = 0; y < 24; ++y) {
      for (uint32_t x = 0; x < 24; ++x) {
        const auto gray = static_cast<uint8_t>((x + y) % 5 * 6);
        const bool is_clear = (x / 6 + frame) % 4 == 0;
        const uint8_t rgba[] = {gray, gray, gray, uint8_t{255}};
        std::memcpy(canvas.row(0, y) + x * 4, rgba, 4);
        if (is_clear) std::memset(canvas.row(0, y) + x * 4, 0, 4);
      }
    }
    canvases.push_back(std::move(canvas));
  }
  std::vector<Image> copies;
  for (const Image& canvas : canvases) copies.push_back(Copy(canvas));
  EncodeOptions options;
  options.quality = 20;
  const auto shown = Play(Encode(std::move(copies), Tenths(4), 0, options));
  ASSERT_TRUE(shown.ok());
  ASSERT_EQ(shown.value().canvases.size(), 4u);
  for (size_t frame = 0; frame < 4; ++frame) {
    for (uint32_t y = 0; y < 24; ++y) {
      for (uint32_t x = 3; x < 24 * 4; x += 4) {
        EXPECT_EQ(canvases[frame].row(0, y)[x], shown.value().canvases[frame].row(0, y)[x]);
      }
    }
  }
}

TEST_F(GifEncodeTest, FramesSkipPixelsByAColorOfAFullTableThatTheyDoNotDraw) {
  // So large that a local table is not tried.
  constexpr uint32_t kSide = 256;
  std::vector<Image> canvases;
  for (int frame = 0; frame < 2; ++frame) {
    Image canvas = Canvas(Rows(kSide, std::string(kSide, 'k')));
    for (uint32_t y = 0; y < kSide; ++y) {
      for (uint32_t x = 0; x < kSide; ++x) canvas.row(0, y)[x * 4] = static_cast<uint8_t>(x);
    }
    // A red that the table has already.
    if (frame == 1) canvas.row(0, 3)[0] = canvas.row(0, 254)[255 * 4] = 7;
    canvases.push_back(std::move(canvas));
  }
  std::vector<Image> copies;
  for (const Image& canvas : canvases) copies.push_back(Copy(canvas));
  const auto gif = Encode(std::move(copies), Tenths(2), 0);
  GifWalker walker(gif);
  GifScreen screen;
  ASSERT_TRUE(walker.ReadScreen(&screen));
  EXPECT_EQ(screen.table.size(), 768u);
  int images = 0;
  while (true) {
    const auto kind = walker.Next(limits_);
    ASSERT_TRUE(kind.ok());
    if (kind.value() == GifWalker::Kind::kTrailer) break;
    if (kind.value() != GifWalker::Kind::kImage) continue;
    EXPECT_TRUE(walker.image().table.empty());
    EXPECT_EQ(walker.image().transparent.has_value(), images++ == 1);
  }
  EXPECT_EQ(images, 2);
  const auto shown = Play(gif);
  ASSERT_TRUE(shown.ok());
  for (size_t frame = 0; frame < 2; ++frame) {
    for (uint32_t y = 0; y < kSide; ++y) {
      EXPECT_EQ(std::memcmp(canvases[frame].row(0, y), shown.value().canvases[frame].row(0, y),
                            kSide * 4),
                0);
    }
  }
}

TEST_F(GifEncodeTest, StillsHaveOnlyTheColorsThatAreUsed) {
  ImageLayout layout = ImageLayout::Interleaved(3, 1, ColorModel::kIndexed, false);
  for (int i = 0; i < 200; ++i) layout.palette.push_back({static_cast<uint8_t>(i), 7, 7, 255});
  layout.palette[150].a = 127;
  layout.palette[151].a = 128;
  Image image = Image::Create(layout, meter_).value();
  std::memcpy(image.row(0, 0), std::array<uint8_t, 3>{150, 9, 151}.data(), 3);
  const auto gif = EncodeStill(image);
  EXPECT_EQ(gif[10] & 0x87, 0x81);  // A global table of four.
  const auto shown = Play(gif);
  ASSERT_TRUE(shown.ok()) << shown.status().message();
  const uint8_t* row = shown.value().canvases[0].row(0, 0);
  EXPECT_EQ(row[3], 0);
  EXPECT_EQ(std::vector<uint8_t>(row + 4, row + 12),
            (std::vector<uint8_t>{9, 7, 7, 255, 151, 7, 7, 255}));
}

TEST_F(GifEncodeTest, StillImagesWithLossTakeNoMoreBytesAndKeepEveryPixelNear) {
  constexpr uint32_t kSide = 90;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    ImageLayout layout = ImageLayout::Interleaved(kSide, kSide, ColorModel::kIndexed, false);
    layout.palette.push_back({0, 0, 0, 0});
    for (uint8_t gray = 1; gray < 200; ++gray) layout.palette.push_back({gray, gray, gray, 255});
    Image image = Image::Create(layout, meter_).value();
    for (uint32_t y = 0; y < kSide; ++y) {
      for (uint32_t x = 0; x < kSide; ++x) {
        image.row(0, y)[x] = static_cast<uint8_t>((x + random() % (1 + seed * 5)) % 200);
      }
    }
    const size_t exact_bytes = EncodeStill(image).size();
    for (const int quality : {79, 60, 10}) {
      EncodeOptions options;
      options.quality = quality;
      const auto gif = EncodeStill(image, {}, options);
      EXPECT_LE(gif.size(), exact_bytes) << "seed " << seed << " quality " << quality;
      const auto shown = Play(gif);
      ASSERT_TRUE(shown.ok()) << shown.status().message();
      for (uint32_t i = 0; i < kSide * kSide; ++i) {
        const Rgba& wanted = layout.palette[image.row(0, i / kSide)[i % kSide]];
        const uint8_t* pixel = shown.value().canvases[0].row(0, i / kSide) + i % kSide * 4;
        ASSERT_EQ(pixel[3], wanted.a) << "seed " << seed;
        if (wanted.a == 0) continue;
        ASSERT_LE(2 * std::abs(pixel[0] - wanted.r), 80 - quality) << "seed " << seed;
      }
    }
  }
}

TEST_F(GifEncodeTest, MetadataIsWrittenAndRewrittenByPolicy) {
  Metadata metadata;
  metadata.icc.assign(700, 0xAB);
  const std::string_view packet = "<x:xmpmeta>\xC3\xA4</x:xmpmeta>";
  metadata.xmp.assign(packet.begin(), packet.end());
  metadata.comments = {std::string(600, 'c'), "second"};
  const auto gif = Encode(Canvases({{"rg"}, {"gr"}}), Tenths(2), 7, {}, metadata);
  const Metadata read = kGifCodec.read_metadata(gif, limits_).value();
  EXPECT_EQ(read.icc, metadata.icc);
  EXPECT_EQ(read.xmp, metadata.xmp);
  EXPECT_EQ(read.comments, metadata.comments);
  EXPECT_TRUE(Probe(gif).value().has_icc);

  ByteChain safe(meter_);
  ASSERT_TRUE(kGifCodec.rewrite(gif, MetadataPolicy::kSafe, limits_, context_, &safe).ok());
  std::vector<uint8_t> bytes(safe.size_bytes());
  safe.CopyTo(bytes.data());
  const Metadata kept = kGifCodec.read_metadata(bytes, limits_).value();
  EXPECT_EQ(kept.icc, metadata.icc);
  EXPECT_TRUE(kept.xmp.empty());
  EXPECT_TRUE(kept.comments.empty());
  EXPECT_EQ(Probe(bytes).value().loop_count, 7u);
  EXPECT_EQ(PlayDrawn(bytes), PlayDrawn(gif));

  ByteChain all(meter_);
  ASSERT_TRUE(kGifCodec.rewrite(gif, MetadataPolicy::kAll, limits_, context_, &all).ok());
  EXPECT_EQ(all.size_bytes(), gif.size());
}

TEST_F(GifEncodeTest, StoppedJobsTakeNoMoreFrames) {
  StopSource stop;
  const WorkContext context{.meter = meter_, .stop = StopToken(stop), .parallel = parallel_};
  ByteChain out(meter_);
  const auto sink = kGifCodec.start_animation({2, 1, 2, 0}, {}, {}, context, &out);
  ASSERT_TRUE(sink.value()->Add(Canvas({"rg"}), {1, 10}).ok());
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(sink.value()->Add(Canvas({"gr"}), {1, 10}).code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pixpress
