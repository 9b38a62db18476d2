// Animated WebP: composition against libwebp's own animation decoder and against values computed
// here, hostile files, exactness, and containers.

#include <webp/demux.h>

#include <algorithm>

#include "codecs/animation_fixture.h"
#include "codecs/webp/frames.h"

namespace pixpress {
namespace {

using Pixel = std::array<uint8_t, 4>;
constexpr uint32_t kWidth = 8;
constexpr uint32_t kHeight = 6;

struct PlainFrame {
  CanvasPlace place{0, 0, kWidth, kHeight};
  Pixel color;
  CanvasDisposal disposal = CanvasDisposal::kKeep;
  CanvasBlend blend = CanvasBlend::kOver;
  uint32_t duration_ms = 40;
};

ByteVector PlainRiff(const ByteVector& chunks) {
  const auto size = static_cast<uint32_t>(chunks.size() + 4);
  ByteVector file = Text("RIFF");
  for (int i = 0; i < 4; ++i) file.push_back(static_cast<uint8_t>(size >> 8 * i));
  return file + Text("WEBP") + chunks;
}

const ByteVector kExtended =
    Text("VP8X") + ByteVector{10, 0, 0, 0, 0x12, 0, 0, 0, kWidth - 1, 0, 0, kHeight - 1, 0, 0};

class WebpAnimationTest : public AnimationTest {
 protected:
  WebpAnimationTest() : AnimationTest(kWebpCodec) { lossless_.lossless = true; }

  ByteVector FrameChunk(const PlainFrame& frame) {
    const Canvas pixels(size_t{frame.place.width} * frame.place.height, frame.color);
    const ByteVector image = Encode(ImageOf(pixels, frame.place.width), lossless_);
    ByteChain chain(meter_);
    EXPECT_TRUE(AppendWebpFrame({.place = frame.place,
                                 .duration_ms = frame.duration_ms,
                                 .disposal = frame.disposal,
                                 .blend = frame.blend,
                                 .image = image},
                                &chain)
                    .ok());
    return Flat(chain);
  }

  ByteVector File(const std::vector<PlainFrame>& frames, uint32_t plays = 0) {
    ByteChain anim(meter_);
    EXPECT_TRUE(AppendWebpAnim(plays, &anim).ok());
    ByteVector chunks = kExtended + Flat(anim);
    for (const PlainFrame& frame : frames) chunks = chunks + FrameChunk(frame);
    return PlainRiff(chunks);
  }

  // What libwebp shows.
  static std::vector<Canvas> PlayWithLibrary(const ByteVector& bytes) {
    WebPAnimDecoderOptions options;
    WebPAnimDecoderOptionsInit(&options);
    const WebPData data{bytes.data(), bytes.size()};
    WebPAnimDecoder* decoder = WebPAnimDecoderNew(&data, &options);
    EXPECT_NE(decoder, nullptr);
    std::vector<Canvas> canvases;
    if (decoder == nullptr) return canvases;
    WebPAnimInfo info;
    WebPAnimDecoderGetInfo(decoder, &info);
    uint8_t* pixels = nullptr;
    int time_ms = 0;
    while (WebPAnimDecoderGetNext(decoder, &pixels, &time_ms) != 0) {
      Canvas canvas(size_t{info.canvas_width} * info.canvas_height);
      for (size_t i = 0; i < canvas.size(); ++i) {
        std::memcpy(canvas[i].data(), pixels + i * 4, 4);
        if (canvas[i][3] == 0) canvas[i] = {};
      }
      canvases.push_back(std::move(canvas));
    }
    WebPAnimDecoderDelete(decoder);
    return canvases;
  }

  EncodeOptions lossless_;
};

TEST_F(WebpAnimationTest, ComposesEveryDisposalAndBlendAsTheLibrary) {
  for (int bits = 0; bits < 256; ++bits) {
    const auto disposal = [&](int i) {
      return (bits >> i & 1) != 0 ? CanvasDisposal::kClear : CanvasDisposal::kKeep;
    };
    const auto blend = [&](int i) {
      return (bits >> (4 + i) & 1) != 0 ? CanvasBlend::kOver : CanvasBlend::kSource;
    };
    const ByteVector bytes =
        File({{.color = {200, 10, 20, 128}, .disposal = disposal(0), .blend = blend(0)},
              {.place = {2, 2, 4, 3},
               .color = {10, 240, 30, 90},
               .disposal = disposal(1),
               .blend = blend(1)},
              {.place = {4, 0, 3, 6},
               .color = {0, 77, 255, 201},
               .disposal = disposal(2),
               .blend = blend(2)},
              {.color = {33, 99, 166, 64}, .disposal = disposal(3), .blend = blend(3)},
              {.place = {0, 0, 7, 5}, .color = {250, 249, 1, 0}},
              {.place = {2, 0, 5, 5}, .color = {5, 6, 7, 100}}});
    const auto shown = Play(bytes);
    ASSERT_TRUE(shown.ok()) << shown.status().message();
    EXPECT_EQ(shown.value().canvases, PlayWithLibrary(bytes)) << bits;
  }
}

TEST_F(WebpAnimationTest, ClearsAndBlends) {
  const auto shown = Play(File({{.color = {100, 0, 0, 255}},
                                {.place = {2, 2, 2, 2},
                                 .color = {0, 200, 0, 255},
                                 .disposal = CanvasDisposal::kClear},
                                {.place = {4, 2, 2, 2}, .color = {0, 0, 100, 51}}},
                               3))
                         .value();
  EXPECT_EQ(shown.canvases[1][2 * kWidth + 2], (Pixel{0, 200, 0, 255}));
  EXPECT_EQ(shown.canvases[2][2 * kWidth + 2], Pixel{});
  const Pixel blended = shown.canvases[2][2 * kWidth + 4];
  EXPECT_NEAR(blended[0], 80, 1);
  EXPECT_NEAR(blended[2], 20, 1);
  EXPECT_NEAR(blended[3], 255, 1);
  EXPECT_EQ(shown.canvases[2][0], (Pixel{100, 0, 0, 255}));
  EXPECT_EQ(shown.durations[1], (FrameDuration{40, 1000}));
  EXPECT_EQ(shown.loop_count, 3u);
}

// The header of the coded pixels may say that there is no alpha where there is.
TEST_F(WebpAnimationTest, TakesAWholeFrameThatDeniesItsAlphaForAllThereIsAsTheLibrary) {
  ByteVector bytes =
      File({{.color = {200, 10, 20, 255}}, {.color = {0, 77, 255, 100}}, {.color = {5, 6, 7, 90}}});
  const ByteVector type = Text("VP8L");
  const auto first = std::search(bytes.begin(), bytes.end(), type.begin(), type.end());
  const auto second = std::search(first + 1, bytes.end(), type.begin(), type.end());
  ASSERT_NE(second, bytes.end());
  second[12] &= static_cast<uint8_t>(~0x10);
  const auto canvases = Play(bytes).value().canvases;
  EXPECT_EQ(canvases[1][0], (Pixel{0, 77, 255, 100}));
  EXPECT_EQ(canvases, PlayWithLibrary(bytes));
}

TEST_F(WebpAnimationTest, DecodesTheFirstFrameOnItsCanvas) {
  const ByteVector bytes =
      File({{.place = {2, 2, 3, 2}, .color = {1, 2, 3, 77}}, {.color = {9, 9, 9, 255}}});
  EXPECT_EQ(Flatten(Decode(bytes).value()), Play(bytes).value().canvases[0]);
}

TEST_F(WebpAnimationTest, AsksForMoreUntilAllFramesAreSeen) {
  const ByteVector bytes = File({{.color = {1, 2, 3, 255}}, {.color = {3, 2, 1, 255}}});
  for (size_t size = 30; size < bytes.size(); ++size) {
    const auto info = codec_.probe(Bytes(bytes).first(size), bytes.size(), limits_);
    ASSERT_TRUE(info.ok()) << size << info.status().message();
    EXPECT_TRUE(info.value().needs_more_input) << size;
  }
  const ImageInfo info = codec_.probe(bytes, bytes.size(), limits_).value();
  EXPECT_FALSE(info.needs_more_input);
  EXPECT_EQ(info.frames, 2u);
  EXPECT_TRUE(info.is_lossless);
}

TEST_F(WebpAnimationTest, RefusesFramesOutsideOfTheCanvasAndOfOtherSizes) {
  EXPECT_EQ(PlayCode(File({{.place = {2, 0, 7, 1}, .color = {1, 2, 3, 255}}})),
            StatusCode::kCorruptImage);
  EXPECT_EQ(PlayCode(File({{.place = {0, 6, 1, 1}, .color = {1, 2, 3, 255}}})),
            StatusCode::kCorruptImage);
  EXPECT_EQ(PlayCode(File({})), StatusCode::kCorruptImage);
  // The chunk says one pixel less than its image has.
  ByteVector frame = FrameChunk({.color = {1, 2, 3, 255}});
  --frame[8 + 6];
  EXPECT_EQ(PlayCode(PlainRiff(kExtended + frame)), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(PlainRiff(kExtended + frame)), StatusCode::kCorruptImage);
}

TEST_F(WebpAnimationTest, RefusesAFrameWhoseLengthReachesIntoTheNext) {
  const PlainFrame plain = {.color = {1, 2, 3, 255}};
  ByteVector frame = FrameChunk(plain);
  EXPECT_EQ(PlayCode(PlainRiff(kExtended + frame + frame)), StatusCode::kOk);
  const ByteVector unknown = Text("abcd") + ByteVector{2, 0, 0, 0, 9, 9};
  ByteVector longer = frame + unknown;
  longer[4] = static_cast<uint8_t>(longer[4] + unknown.size());
  EXPECT_EQ(PlayCode(PlainRiff(kExtended + longer + frame)), StatusCode::kOk);
  ByteVector reaching = frame;
  reaching[4] = static_cast<uint8_t>(reaching[4] + 8);
  EXPECT_EQ(PlayCode(PlainRiff(kExtended + reaching + frame + frame)), StatusCode::kCorruptImage);
}

TEST_F(WebpAnimationTest, RefusesMoreFramesThanTheLimits) {
  const ByteVector bytes = File(std::vector<PlainFrame>(3, {.color = {1, 2, 3, 255}}));
  limits_.max_frames = 2;
  EXPECT_EQ(PlayCode(bytes), StatusCode::kLimitExceeded);
  limits_ = Limits();
  limits_.max_total_pixels = 3 * kWidth * kHeight - 1;
  EXPECT_EQ(PlayCode(bytes), StatusCode::kLimitExceeded);
}

TEST_F(WebpAnimationTest, FailsOnEveryTruncationAndSurvivesEveryByte) {
  const ByteVector bytes = EncodeAnimation(MovingCanvases(16, 10, 3, false), 16,
                                           std::vector(3, FrameDuration{1, 25}), 0);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(PlayCode(Bytes(bytes).first(size)), StatusCode::kOk) << size;
  }
  size_t played = 0;
  limits_.max_pixels = 1 << 16;  // So that a larger canvas is refused before it takes time.
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const uint8_t flip : {0x01, 0x80, 0xFF}) {
      ByteVector damaged = bytes;
      damaged[i] ^= flip;
      played += PlayCode(damaged) == StatusCode::kOk ? 1 : 0;
    }
  }
  EXPECT_LT(played, bytes.size() * 3);
}

TEST_F(WebpAnimationTest, WritesLosslesslyWhatItIsGiven) {
  for (const bool is_opaque : {false, true}) {
    for (const int effort : {1, 5, 8}) {
      const std::vector<Canvas> canvases = MovingCanvases(41, 13, 8, is_opaque);
      lossless_.effort = effort;
      const ByteVector bytes =
          EncodeAnimation(canvases, 41, std::vector(8, FrameDuration{1, 25}), 5, lossless_);
      const auto shown = Play(bytes);
      ASSERT_TRUE(shown.ok()) << shown.status().message();
      EXPECT_EQ(shown.value().canvases, canvases);
      EXPECT_EQ(PlayWithLibrary(bytes), canvases);
      EXPECT_EQ(shown.value().durations, std::vector(8, FrameDuration{40, 1000}));
      EXPECT_EQ(shown.value().loop_count, 5u);
    }
  }
}

TEST_F(WebpAnimationTest, KeepsWhatStandsStillNearInLossyFrames) {
  const std::vector<Canvas> canvases = MovingCanvases(64, 48, 8, true);
  EncodeOptions options;
  options.quality = 90;
  const auto shown =
      Play(EncodeAnimation(canvases, 64, std::vector(8, FrameDuration{1, 25}), 0, options));
  ASSERT_EQ(shown.value().canvases.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    double error = 0;
    for (size_t p = 0; p < canvases[i].size(); ++p) {
      EXPECT_EQ(shown.value().canvases[i][p][3], 255);
      const double difference = canvases[i][p][1] - shown.value().canvases[i][p][1];
      error += difference * difference;
    }
    EXPECT_LT(error / static_cast<double>(canvases[i].size()), 40) << i;
  }
}

TEST_F(WebpAnimationTest, RoundsDurationsSoThatTheSumIsKept) {
  const std::vector<Canvas> canvases = MovingCanvases(16, 16, 7, true);
  const auto shown =
      Play(EncodeAnimation(canvases, 16, std::vector(7, FrameDuration{1, 30}), 0, lossless_));
  uint32_t total_ms = 0;
  for (const FrameDuration& duration : shown.value().durations) total_ms += duration.numerator;
  EXPECT_EQ(total_ms, 233u);
}

TEST_F(WebpAnimationTest, MergesEqualFrames) {
  std::vector<Canvas> canvases = MovingCanvases(16, 16, 3, true);
  canvases[1] = canvases[0];
  const auto shown =
      Play(EncodeAnimation(canvases, 16, {{1, 10}, {1, 4}, {0, 1}}, 0, lossless_)).value();
  EXPECT_EQ(shown.canvases, (std::vector<Canvas>{canvases[0], canvases[2]}));
  EXPECT_EQ(shown.durations, (std::vector<FrameDuration>{{350, 1000}, {0, 1000}}));
  // A frame cannot be shown for longer than 24 bits say.
  EXPECT_EQ(Play(EncodeAnimation(canvases, 16, {{16000, 1}, {16000, 1}, {0, 1}}, 0, lossless_))
                .value()
                .canvases.size(),
            3u);
}

TEST_F(WebpAnimationTest, RewritesFramesBitForBit) {
  Metadata metadata;
  metadata.xmp = Text("<x/>");
  const ByteVector bytes = EncodeAnimation(MovingCanvases(40, 12, 4, false), 40,
                                           std::vector(4, FrameDuration{1, 9}), 2, {}, metadata);
  EXPECT_EQ(kWebpCodec.read_metadata(bytes, limits_).value().xmp, metadata.xmp);
  EXPECT_EQ(Rewrite(bytes + Text("trailing"), MetadataPolicy::kAll).value(), bytes);
  const ByteVector bare =
      EncodeAnimation(MovingCanvases(40, 12, 4, false), 40, std::vector(4, FrameDuration{1, 9}), 2);
  EXPECT_EQ(Rewrite(bytes, MetadataPolicy::kNone).value(), bare);
}

TEST_F(WebpAnimationTest, FailsRatherThanTakingMoreThanPlanned) {
  // Noise takes more than any photograph.
  constexpr uint32_t kSide = 2000;
  const AnimationInfo info{kSide, kSide, 40, 0};
  EncodeOptions options;
  options.effort = 1;
  options.quality = 80;
  ByteChain out(meter_);
  const auto sink = codec_.start_animation(info, options, {}, context_, &out);
  Status status;
  uint32_t state = 1;
  for (uint32_t i = 0; i < info.frames && status.ok(); ++i) {
    Image image =
        Image::Create(ImageLayout::Interleaved(kSide, kSide, ColorModel::kRgb, true), meter_)
            .value();
    for (uint32_t y = 0; y < kSide; ++y) {
      for (uint32_t x = 0; x < kSide * 4; ++x) {
        state = state * 1664525 + 1013904223;
        image.row(0, y)[x] = x % 4 == 3 ? 255 : static_cast<uint8_t>(state >> 24);
      }
    }
    status = sink.value()->Add(std::move(image), {1, 10});
  }
  EXPECT_EQ(status.code(), StatusCode::kMemoryLimit);
  EXPECT_LE(out.size_bytes(), codec_.animation_memory_bytes(info, options));
}

TEST_F(WebpAnimationTest, StopsInsideOfAFrame) {
  StopSource stop;
  Meter meter(pool_);
  const WorkContext context{meter, StopToken(stop), parallel_};
  ByteChain out(meter);
  const std::vector<Canvas> canvases = MovingCanvases(64, 64, 2, true);
  const auto sink = codec_.start_animation({64, 64, 2, 0}, {}, {}, context, &out);
  ASSERT_TRUE(sink.value()->Add(ImageOf(canvases[0], 64), {1, 10}).ok());
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(sink.value()->Finish().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pixpress
