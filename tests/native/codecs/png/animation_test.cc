// Animated PNG: composition against values computed here, hostile files, and exactness.

#include <algorithm>
#include <cmath>

#include "codecs/animation_fixture.h"
#include "codecs/png/fixture.h"

namespace pixpress {
namespace {

using Pixel = std::array<uint8_t, 4>;
constexpr uint32_t kWidth = 4;
constexpr uint32_t kHeight = 3;

struct PlainFrame {
  uint32_t x = 0, y = 0, width = kWidth, height = kHeight;
  Pixel color;
  uint8_t disposal = 0;
  uint8_t blend = 0;
  uint16_t numerator = 1;
  uint16_t denominator = 10;
};

// Writes chunk by chunk, counting the sequence numbers.
class PlainApng {
 public:
  explicit PlainApng(uint32_t frames, uint32_t plays = 0, uint8_t depth = 8)
      : bytes_(kPngSignature + PlainHeader(kWidth, kHeight, depth, 6)), depth_(depth) {
    ByteVector data;
    AppendBig32(frames, &data);
    AppendBig32(plays, &data);
    Chunk("acTL", data);
  }
  PlainApng& Chunk(std::string_view type, const ByteVector& data) {
    bytes_ = bytes_ + PlainChunk(type, data);
    return *this;
  }
  PlainApng& Control(const PlainFrame& frame) {
    ByteVector data;
    for (const uint32_t value : {sequence_++, frame.width, frame.height, frame.x, frame.y,
                                 uint32_t{frame.numerator} << 16 | frame.denominator}) {
      AppendBig32(value, &data);
    }
    return Chunk("fcTL", data + ByteVector{frame.disposal, frame.blend});
  }
  PlainApng& Image(const PlainFrame& frame) { return Chunk("IDAT", Data(frame)); }
  // In two pieces.
  PlainApng& FrameData(const PlainFrame& frame) {
    const ByteVector data = Data(frame);
    const auto middle = data.begin() + static_cast<std::ptrdiff_t>(data.size() / 2);
    return Piece({data.begin(), middle}).Piece({middle, data.end()});
  }
  PlainApng& Piece(const ByteVector& data) {
    ByteVector numbered;
    AppendBig32(sequence_++, &numbered);
    return Chunk("fdAT", numbered + data);
  }
  PlainApng& Frames(const std::vector<PlainFrame>& frames) {
    Control(frames[0]).Image(frames[0]);
    for (size_t i = 1; i < frames.size(); ++i) Control(frames[i]).FrameData(frames[i]);
    return *this;
  }
  ByteVector End() const { return bytes_ + PlainChunk("IEND", {}); }

  uint32_t sequence_ = 0;

 private:
  ByteVector Data(const PlainFrame& frame) const {
    ByteVector rows;
    for (uint32_t y = 0; y < frame.height; ++y) {
      rows.push_back(0);
      for (uint32_t x = 0; x < frame.width; ++x) {
        for (const uint8_t sample : frame.color) {
          rows.push_back(sample);
          if (depth_ == 16) rows.push_back(sample);
        }
      }
    }
    return PlainDeflate(rows);
  }

  ByteVector bytes_;
  uint8_t depth_;
};

// The formula of the specification in floating point.
Pixel Over(const Pixel& front, const Pixel& back) {
  if (front[3] == 0) return back;
  const double f = front[3] / 255.0;
  const double b = back[3] / 255.0 * (1 - f);
  Pixel out;
  for (size_t c = 0; c < 3; ++c) {
    out[c] = static_cast<uint8_t>(std::floor((front[c] * f + back[c] * b) / (f + b) + 0.5));
  }
  out[3] = static_cast<uint8_t>(std::floor((f + b) * 255 + 0.5));
  return out;
}

void DrawOnto(const PlainFrame& frame, Canvas* canvas) {
  for (uint32_t y = frame.y; y < frame.y + frame.height; ++y) {
    for (uint32_t x = frame.x; x < frame.x + frame.width; ++x) {
      Pixel& pixel = (*canvas)[y * kWidth + x];
      pixel = frame.blend == 0 ? frame.color : Over(frame.color, pixel);
    }
  }
}

void ClearOf(const PlainFrame& frame, Canvas* canvas) {
  for (uint32_t y = frame.y; y < frame.y + frame.height; ++y) {
    std::fill_n(canvas->begin() + y * kWidth + frame.x, frame.width, Pixel{});
  }
}

std::vector<Canvas> Compose(const std::vector<PlainFrame>& frames) {
  std::vector<Canvas> shown;
  Canvas canvas(kWidth * kHeight);
  for (size_t i = 0; i < frames.size(); ++i) {
    const Canvas before = canvas;
    DrawOnto(frames[i], &canvas);
    shown.push_back(canvas);
    for (Pixel& pixel : shown.back()) pixel = pixel[3] == 0 ? Pixel{} : pixel;
    const uint8_t disposal = i == 0 && frames[i].disposal == 2 ? 1 : frames[i].disposal;
    if (disposal == 1) ClearOf(frames[i], &canvas);
    if (disposal == 2) canvas = before;
  }
  return shown;
}

class PngAnimationTest : public AnimationTest {
 protected:
  PngAnimationTest() : AnimationTest(kPngCodec) {}
};

TEST_F(PngAnimationTest, ComposesEveryDisposalAndBlend) {
  for (int disposals = 0; disposals < 27; ++disposals) {
    for (int blends = 0; blends < 8; ++blends) {
      const std::vector<PlainFrame> frames = {
          {.color = {200, 10, 20, 128},
           .disposal = static_cast<uint8_t>(disposals % 3),
           .blend = static_cast<uint8_t>(blends % 2)},
          {.x = 1,
           .y = 1,
           .width = 2,
           .height = 2,
           .color = {10, 240, 30, 90},
           .disposal = static_cast<uint8_t>(disposals / 3 % 3),
           .blend = static_cast<uint8_t>(blends / 2 % 2)},
          {.x = 2,
           .y = 0,
           .width = 2,
           .height = 3,
           .color = {0, 77, 255, 201},
           .disposal = static_cast<uint8_t>(disposals / 9),
           .blend = static_cast<uint8_t>(blends / 4)},
          {.x = 0, .y = 0, .width = 1, .height = 1, .color = {5, 6, 7, 255}}};
      const auto shown = Play(PlainApng(4).Frames(frames).End());
      ASSERT_TRUE(shown.ok()) << shown.status().message();
      EXPECT_EQ(shown.value().canvases, Compose(frames)) << disposals << " " << blends;
    }
  }
}

TEST_F(PngAnimationTest, SkipsAnImageThatIsNoFrame) {
  PlainApng apng(2, 3);
  const PlainFrame image{.color = {9, 9, 9, 255}};
  const PlainFrame first{.x = 1, .y = 1, .width = 2, .height = 1, .color = {1, 2, 3, 255}};
  const PlainFrame second{.color = {4, 5, 6, 255}, .numerator = 7, .denominator = 0};
  const ByteVector bytes =
      apng.Image(image).Control(first).FrameData(first).Control(second).FrameData(second).End();
  const auto shown = Play(bytes);
  ASSERT_TRUE(shown.ok()) << shown.status().message();
  EXPECT_EQ(shown.value().canvases, Compose({first, second}));
  EXPECT_EQ(shown.value().durations[1], (FrameDuration{7, 100}));
  EXPECT_EQ(shown.value().loop_count, 3u);
  EXPECT_EQ(At(Decode(bytes).value(), 0, 0), (std::array<uint32_t, 4>{9, 9, 9, 255}));
}

TEST_F(PngAnimationTest, NarrowsSixteenBits) {
  const std::vector<PlainFrame> frames = {
      {.color = {200, 10, 20, 255}},
      {.x = 1, .y = 1, .width = 2, .height = 2, .color = {10, 240, 30, 255}}};
  const auto shown = Play(PlainApng(2, 0, 16).Frames(frames).End());
  ASSERT_TRUE(shown.ok()) << shown.status().message();
  EXPECT_EQ(shown.value().canvases, Compose(frames));
}

TEST_F(PngAnimationTest, RefusesWrongCountsOrdersAndPlaces) {
  const PlainFrame whole{.color = {1, 2, 3, 255}};
  const auto two = [&](PlainFrame second, uint32_t frames = 2) {
    return PlayCode(PlainApng(frames).Frames({whole, second}).End());
  };
  const PlainFrame good{.x = 2, .y = 1, .width = 2, .height = 2, .color = {4, 5, 6, 255}};
  EXPECT_EQ(two(good), StatusCode::kOk);
  EXPECT_EQ(two(good, 1), StatusCode::kCorruptImage);
  EXPECT_EQ(two(good, 3), StatusCode::kCorruptImage);
  EXPECT_EQ(two(good, 0), StatusCode::kCorruptImage);
  PlainFrame bad = good;
  bad.x = 3;
  EXPECT_EQ(two(bad), StatusCode::kCorruptImage);
  bad = good;
  bad.y = 0xFFFFFFFF;
  EXPECT_EQ(two(bad), StatusCode::kCorruptImage);
  bad = good;
  bad.width = 0;
  EXPECT_EQ(two(bad), StatusCode::kCorruptImage);
  bad = good;
  bad.disposal = 3;
  EXPECT_EQ(two(bad), StatusCode::kCorruptImage);
  bad = good;
  bad.blend = 2;
  EXPECT_EQ(two(bad), StatusCode::kCorruptImage);

  PlainApng skips(2);
  skips.Control(whole).Image(whole);
  ++skips.sequence_;
  EXPECT_EQ(PlayCode(skips.Control(good).FrameData(good).End()), StatusCode::kCorruptImage);
  EXPECT_EQ(PlayCode(PlainApng(2).Control(whole).Image(whole).Control(good).End()),
            StatusCode::kCorruptImage);
  EXPECT_EQ(PlayCode(PlainApng(1).Control(good).Image(good).End()), StatusCode::kCorruptImage);
  EXPECT_EQ(PlayCode(PlainApng(1).Control(whole).Image(whole).FrameData(whole).End()),
            StatusCode::kCorruptImage);
}

TEST_F(PngAnimationTest, RefusesFramesWithTooLittleData) {
  const PlainFrame whole{.color = {1, 2, 3, 255}};
  const PlainFrame small{.width = 1, .height = 1, .color = {1, 2, 3, 255}};
  PlainApng apng(2);
  apng.Control(whole).Image(whole).Control(whole).FrameData(small);
  EXPECT_EQ(PlayCode(apng.End()), StatusCode::kCorruptImage);
}

TEST_F(PngAnimationTest, RefusesMoreFramesThanTheLimits) {
  const std::vector<PlainFrame> frames(3, {.color = {1, 2, 3, 255}});
  const ByteVector bytes = PlainApng(3).Frames(frames).End();
  limits_.max_frames = 2;
  EXPECT_EQ(PlayCode(bytes), StatusCode::kLimitExceeded);
  limits_ = Limits();
  limits_.max_total_pixels = 3 * kWidth * kHeight - 1;
  EXPECT_EQ(PlayCode(bytes), StatusCode::kLimitExceeded);
}

TEST_F(PngAnimationTest, FailsOnEveryTruncationAndSurvivesEveryByte) {
  const std::vector<PlainFrame> frames = {
      {.color = {200, 10, 20, 128}},
      {.x = 1, .y = 1, .width = 2, .height = 2, .color = {1, 2, 3, 90}, .disposal = 2, .blend = 1},
      {.color = {4, 5, 6, 255}}};
  const ByteVector bytes = PlainApng(3).Frames(frames).End();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(PlayCode(Bytes(bytes).first(size)), StatusCode::kOk) << size;
  }
  for (size_t i = 8; i < bytes.size(); ++i) {
    for (const uint8_t flip : {0x01, 0x80, 0xFF}) {
      ByteVector damaged = bytes;
      damaged[i] ^= flip;
      EXPECT_NE(PlayCode(damaged), StatusCode::kOk) << i;  // Every byte is under a checksum.
    }
  }
}

TEST_F(PngAnimationTest, WritesExactlyWhatItIsGiven) {
  for (const bool is_opaque : {false, true}) {
    for (const int effort : {1, 3, 7}) {
      const std::vector<Canvas> canvases = MovingCanvases(40, 12, 8, is_opaque);
      const std::vector<FrameDuration> durations(8, {3, 70});
      EncodeOptions options;
      options.effort = effort;
      const ByteVector bytes = EncodeAnimation(canvases, 40, durations, 5, options);
      const auto shown = Play(bytes);
      ASSERT_TRUE(shown.ok()) << shown.status().message();
      EXPECT_EQ(shown.value().canvases, canvases);
      EXPECT_EQ(shown.value().durations, durations);
      EXPECT_EQ(shown.value().loop_count, 5u);
      EXPECT_EQ(Flatten(Decode(bytes).value()), canvases[0]);
    }
  }
}

TEST_F(PngAnimationTest, WritesOnlyWhatChanges) {
  std::vector<Canvas> canvases(2, Canvas(64 * 64));
  uint32_t state = 1;
  for (Pixel& pixel : canvases[0]) {
    state = state * 1664525 + 1013904223;
    pixel = {static_cast<uint8_t>(state >> 24), static_cast<uint8_t>(state >> 16),
             static_cast<uint8_t>(state >> 8), 255};
  }
  canvases[1] = canvases[0];
  canvases[1][5 * 64 + 7] = {1, 2, 3, 255};
  canvases[1][60 * 64 + 61] = {1, 2, 3, 255};
  const ByteVector bytes = EncodeAnimation(canvases, 64, {{1, 10}, {1, 10}}, 0);
  // Nearly all of the second frame stands still, and says so with transparency.
  EXPECT_LT(ChunkData(bytes, "fdAT").size(), 200u);
  EXPECT_EQ(Play(bytes).value().canvases, canvases);
}

TEST_F(PngAnimationTest, MergesEqualFramesOnlyWhereTheSumIsExact) {
  const Canvas canvas(16, Pixel{1, 2, 3, 255});
  const Canvas other(16, Pixel{3, 2, 1, 255});
  const auto durations = [&](const std::vector<FrameDuration>& given) {
    std::vector<Canvas> canvases(given.size(), canvas);
    canvases.back() = other;
    const auto shown = Play(EncodeAnimation(canvases, 4, given, 0));
    EXPECT_EQ(shown.value().canvases.back(), other);
    return shown.value().durations;
  };
  EXPECT_EQ(durations({{1, 10}, {1, 15}, {1, 3}}), (std::vector<FrameDuration>{{1, 6}, {1, 3}}));
  EXPECT_EQ(durations({{1, 65521}, {1, 65519}, {0, 1}}),
            (std::vector<FrameDuration>{{1, 65521}, {1, 65519}, {0, 1}}));
}

TEST_F(PngAnimationTest, StoresLongDurationsAsNearAsPossible) {
  const std::vector<Canvas> canvases = MovingCanvases(8, 8, 3, true);
  const auto shown =
      Play(EncodeAnimation(canvases, 8, {{70001, 1000}, {4000000000u, 1}, {1, 4000000000u}}, 0));
  const FrameDuration first = shown.value().durations[0];
  EXPECT_NEAR(double{1} * first.numerator / first.denominator, 70.001, 0.001);
  EXPECT_EQ(shown.value().durations[1], (FrameDuration{65535, 1}));
  EXPECT_EQ(shown.value().durations[2].numerator, 0u);
}

TEST_F(PngAnimationTest, KeepsChunksOfFramesWhenRewriting) {
  const std::vector<Canvas> canvases = MovingCanvases(40, 12, 4, false);
  const ByteVector bytes = EncodeAnimation(canvases, 40, std::vector(4, FrameDuration{1, 9}), 2);
  EXPECT_EQ(Rewrite(bytes, MetadataPolicy::kNone).value(), bytes);
  EXPECT_EQ(Rewrite(bytes + Text("trailing"), MetadataPolicy::kSafe).value(), bytes);
}

TEST_F(PngAnimationTest, StopsBetweenFrames) {
  const ByteVector bytes =
      EncodeAnimation(MovingCanvases(40, 12, 4, true), 40, std::vector(4, FrameDuration{1, 9}), 2);
  StopSource stop;
  Meter meter(pool_);
  const WorkContext context{meter, StopToken(stop), parallel_};
  const ImageInfo info = codec_.probe(bytes, bytes.size(), limits_).value();
  const auto frames = codec_.open_frames(bytes, info, limits_, context);
  Frame frame;
  ASSERT_TRUE(frames.value()->Next(&frame).ok());
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(frames.value()->Next(&frame).code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pixpress
