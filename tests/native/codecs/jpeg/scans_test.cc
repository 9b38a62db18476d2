// Bombs of scans, and stopping in the midst of work.

#include <algorithm>
#include <atomic>

#include "base/clock.h"
#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/markers.h"

namespace pixpress {
namespace {

using JpegScansTest = JpegTest;

// The file with its last scan repeated: every copy costs a pass over the whole image.
std::vector<uint8_t> ScanBomb(Bytes jpeg, size_t copies) {
  JpegWalker walker(jpeg);
  JpegSegment segment, last;
  while (walker.Next(&segment)) {
    if (segment.marker != kJpegSos) continue;
    last = segment;
    last.end = walker.EndOfScan();
  }
  const Bytes scan = jpeg.subspan(last.begin, last.end - last.begin);
  std::vector<uint8_t> bomb(jpeg.begin(), jpeg.begin() + last.end);
  for (size_t i = 0; i < copies; ++i) bomb.insert(bomb.end(), scan.begin(), scan.end());
  bomb.insert(bomb.end(), {0xFF, kJpegEoi});
  return bomb;
}

// Time that passes only by being asked for, so that a deadline is a number of polls.
class PollClock final : public Clock {
 public:
  int64_t NowNs() const override { return ++polls_; }

 private:
  mutable std::atomic<int64_t> polls_{0};
};

TEST_F(JpegScansTest, AsManyScansAsAllowedDecodeAndOneMoreIsRefused) {
  const auto jpeg = MakeJpeg({.is_progressive = true});
  limits_.max_scans = 10;
  EXPECT_TRUE(Decode(jpeg).ok());
  limits_.max_scans = 9;
  const Status refused = Decode(jpeg).status();
  EXPECT_EQ(refused.code(), StatusCode::kLimitExceeded);
  EXPECT_NE(refused.message().find("10 or more scans"), std::string::npos) << refused.message();
}

TEST_F(JpegScansTest, ThousandsOfScansAreRefusedBeforeAnythingIsHeldOrDecoded) {
  const auto bomb = ScanBomb(MakeJpeg({.is_progressive = true}), 5000);
  const ImageInfo info = kJpegCodec.probe(bomb, bomb.size(), limits_).value();
  const auto source = kJpegCodec.decode(bomb, info, {}, limits_, context_);
  EXPECT_EQ(source.status().code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(meter_.peak_bytes(), 0u);
}

TEST_F(JpegScansTest, ScansOfManyPixelsAreRefusedThoughTheyAreFew) {
  const auto jpeg = MakeJpeg({.width = 100, .height = 100, .is_progressive = true});
  limits_.max_pixel_scans = 100 * 100 * 10;
  EXPECT_TRUE(Decode(jpeg).ok());
  --limits_.max_pixel_scans;
  EXPECT_EQ(Decode(jpeg).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(JpegScansTest, ABaselineBombOfScansIsRefusedToo) {
  EXPECT_EQ(Decode(ScanBomb(MakeJpeg({}), 5000)).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(JpegScansTest, AStopEndsDecodingAtAnyPoll) {
  for (const bool is_progressive : {false, true}) {
    const auto jpeg = MakeJpeg({.width = 64, .height = 512, .is_progressive = is_progressive});
    for (const int64_t polls : {1, 2, 5, 20}) {
      PollClock clock;
      StopSource stop;
      stop.SetDeadline(&clock, polls);
      context_.stop = StopToken(stop);
      const Result<Image> image = Decode(jpeg);
      EXPECT_EQ(image.status().code(), StatusCode::kTaskTimeout) << polls;
    }
  }
}

TEST_F(JpegScansTest, ACancelBetweenStripesEndsDecodingAtTheNextOne) {
  const auto jpeg = MakeJpeg({.width = 64, .height = 512});
  const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
  StopSource stop;
  context_.stop = StopToken(stop);
  auto source = kJpegCodec.decode(jpeg, info, {}, limits_, context_).value();
  Stripe stripe;
  ASSERT_TRUE(source->Next(&stripe).ok());
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(source->Next(&stripe).code(), StatusCode::kCancelled);
}

TEST_F(JpegScansTest, AStopEndsEncodingAtAnyPollAndReturnsItsMemory) {
  const ImageLayout layout = ImageLayout::Ycbcr(64, 512, 2, 2);
  for (const int effort : {1, 5, 8}) {
    for (const int64_t polls : {1, 2, 5, 20, 33}) {
      PollClock clock;
      StopSource stop;
      stop.SetDeadline(&clock, polls);
      context_.stop = StopToken(stop);
      Meter meter(pool_);
      {
        WorkContext context{meter, context_.stop, parallel_};
        auto source = MakeImageSource(Picture(layout), {});
        ByteChain out(meter);
        EXPECT_EQ(kJpegCodec.encode(*source, {.effort = effort}, {}, context, &out).code(),
                  StatusCode::kTaskTimeout)
            << effort << " " << polls;
      }
      EXPECT_EQ(meter.current_bytes(), 0u);
    }
  }
}

}  // namespace
}  // namespace pixpress
