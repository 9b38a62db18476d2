#include <random>

#include "codecs/gif_fixture.h"

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
    for (const int effort : {1, 5}) {
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

  std::vector<uint8_t> EncodeStill(const Image& indices, const Metadata& metadata = {}) {
    const auto source =
        MakeBorrowedSource(indices.layout(), indices.row(0, 0), indices.stride_bytes(0), {});
    BufferPool pool(1 << 20);
    Meter meter(pool);
    const WorkContext context{.meter = meter, .stop = {}, .parallel = parallel_};
    ByteChain out(meter);
    const Status status = kGifCodec.encode(*source, {}, metadata, context, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), kGifCodec.encode_memory_bytes(indices.layout(), {}));
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
