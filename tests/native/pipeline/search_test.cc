#include "pipeline/search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "codecs/avif/quantizer.h"
#include "pipeline/typical_size.h"

namespace pixpress {
namespace {

// An encoder whose sizes at the qualities 0 to 100 are given.
class FakeEncoder {
 public:
  explicit FakeEncoder(std::function<double(int)> size) : size_(std::move(size)) {}

  uint64_t SizeAt(int quality) const { return static_cast<uint64_t>(size_(quality)); }
  Result<SearchResult> Search(int asked_quality, uint64_t max_bytes, SizeTrial too_large = {},
                              SizeTrial prior = {}, Format format = Format::kJpeg) {
    tried_.clear();
    const auto encode = [&](int quality, ByteChain* out) {
      tried_.push_back(quality);
      return out->Append(std::vector<uint8_t>(SizeAt(quality), static_cast<uint8_t>(quality)));
    };
    const SizeGoal goal = {.format = format,
                           .quality = asked_quality,
                           .max_bytes = max_bytes,
                           .too_large = too_large,
                           .known = {},
                           .prior = prior};
    return SearchQuality(encode, goal, meter_);
  }
  const std::vector<int>& tried() const { return tried_; }
  const Meter& meter() const { return meter_; }

 private:
  const std::function<double(int)> size_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  std::vector<int> tried_;
};

// Far from what is typical: `bytes` more for each quality.
std::function<double(int)> Linear(double bytes) {
  return [=](int quality) { return 100 + bytes * quality; };
}

// An image whose sizes change `steepness` times as fast as the typical ones.
std::function<double(int)> Image(double steepness) {
  return [=](int quality) {
    return 50'000 * std::exp2(steepness * TypicalSize(Format::kJpeg, quality));
  };
}

TEST(SearchQuality, EncodesOnceIfTheAskedQualityFitsOrNothingIsAsked) {
  FakeEncoder encoder(Linear(1000));
  for (const uint64_t max_bytes : {uint64_t{0}, encoder.SizeAt(80)}) {
    const auto found = encoder.Search(80, max_bytes);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found.value().quality, 80);
    EXPECT_EQ(encoder.tried().size(), 1u);
  }
}

TEST(SearchQuality, FitsEveryLimitWithSizesThatAreNotTypicalToo) {
  FakeEncoder encoder(Linear(1000));
  for (const int asked : {2, 33, 80, 100}) {
    for (int best = 1; best < asked; ++best) {
      const uint64_t max_bytes = encoder.SizeAt(best) + 1;
      const auto found = encoder.Search(asked, max_bytes);
      ASSERT_TRUE(found.ok()) << asked << " " << best;
      EXPECT_LE(found.value().data.size_bytes(), max_bytes);
      EXPECT_EQ(found.value().data.size_bytes(), encoder.SizeAt(found.value().quality));
      EXPECT_GE(found.value().quality, best - 10) << asked << " " << best;
      EXPECT_LE(encoder.tried().size(), best < 4 ? 9u : 8u) << asked << " " << best;
    }
  }
}

TEST(SearchQuality, TakesThreeEncodesOnAverageAndLosesLittle) {
  size_t searches = 0;
  size_t encodes = 0;
  double lost = 0;
  for (const double steepness : {0.8, 0.9, 1.0, 1.1, 1.25}) {
    for (const int asked : {80, 95}) {
      for (const double part : {0.95, 0.8, 0.6, 0.4, 0.2}) {
        FakeEncoder image(Image(steepness));
        const auto limit = static_cast<uint64_t>(part * static_cast<double>(image.SizeAt(asked)));
        const auto found = image.Search(asked, limit);
        ASSERT_TRUE(found.ok()) << found.status().message();
        const uint64_t size_bytes = found.value().data.size_bytes();
        EXPECT_LE(size_bytes, limit);
        int best = asked;
        while (image.SizeAt(best) > limit) --best;
        lost += 1 - static_cast<double>(size_bytes) / static_cast<double>(image.SizeAt(best));
        encodes += image.tried().size();
        ++searches;
      }
    }
  }
  EXPECT_LE(encodes, 3 * searches);
  EXPECT_LE(lost / static_cast<double>(searches), 0.01);
}

TEST(SearchQuality, DoesNotTryWhatIsKnownToBeTooLarge) {
  FakeEncoder image(Image(1));
  const uint64_t limit = image.SizeAt(60);
  ASSERT_TRUE(image.Search(89, limit, {.quality = 90, .size_bytes = image.SizeAt(90)}).ok());
  EXPECT_LT(image.tried().front(), 61);
}

TEST(SearchQuality, StartsWhereTheSourceLetsExpectTheLimit) {
  FakeEncoder image(Image(1));
  const SizeTrial source = {.quality = 95, .size_bytes = image.SizeAt(95)};
  ASSERT_TRUE(image.Search(90, image.SizeAt(40) + 10, {}, source).ok());
  EXPECT_EQ(image.tried(), std::vector<int>{40});
  // Nearly small enough: then the asked quality is tried.
  ASSERT_TRUE(image.Search(60, image.SizeAt(58), {}, source).ok());
  EXPECT_EQ(image.tried().front(), 60);
}

TEST(SearchQuality, FindsWhatWasAskedForWhereTheSourceMisleads) {
  FakeEncoder image(Image(1));
  const SizeTrial wrong = {.quality = 30, .size_bytes = image.SizeAt(95)};
  for (const int asked : {60, 80, 89}) {
    const auto found = image.Search(asked, image.SizeAt(asked), {}, wrong);
    ASSERT_TRUE(found.ok());
    EXPECT_GE(found.value().data.size_bytes(), image.SizeAt(asked) * 13 / 14);
  }
}

TEST(SearchQuality, SaysTheSizeOfQualityOneIfThatIsTooLarge) {
  FakeEncoder encoder(Linear(1000));
  for (const int asked : {1, 80, 100}) {
    const Status status = encoder.Search(asked, encoder.SizeAt(1) - 1).status();
    EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
    EXPECT_NE(status.message().find("1100 bytes"), std::string::npos) << status.message();
    EXPECT_LE(encoder.tried().size(), 8u);
    EXPECT_EQ(encoder.tried().back(), 1);
  }
}

TEST(SearchQuality, TriesNoQualityOfAvifThatMakesWhatAnotherOneMade) {
  if (FindCodec(Format::kAvif) == nullptr) GTEST_SKIP() << "libavif is not built in";
  // The qualities 1 and 2 have the same one, and so have more than a third of all.
  FakeEncoder encoder([](int quality) { return 1000 + 100 * (62 - AvifQuantizer(quality)); });
  for (int best = 1; best <= 80; ++best) {
    const uint64_t limit = encoder.SizeAt(best) + 1;
    const auto found = encoder.Search(80, limit, {}, {}, Format::kAvif);
    ASSERT_TRUE(found.ok()) << best;
    EXPECT_LE(found.value().data.size_bytes(), limit);
    std::set<int> quantizers;
    for (const int quality : encoder.tried()) {
      EXPECT_TRUE(quantizers.insert(AvifQuantizer(quality)).second) << best << " " << quality;
    }
  }
  const Status status = encoder.Search(80, encoder.SizeAt(1) - 1, {}, {}, Format::kAvif).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_NE(status.message().find("1000 bytes"), std::string::npos) << status.message();
}

TEST(SearchQuality, TakesAFailureOfTheEncoderAsItsOwn) {
  BufferPool pool(0);
  Meter meter(pool);
  const auto fail = [](int, ByteChain*) { return Status(StatusCode::kCancelled, "stopped"); };
  const SizeGoal goal = {.format = Format::kJpeg,
                         .quality = 80,
                         .max_bytes = 100,
                         .too_large = {},
                         .known = {},
                         .prior = {}};
  EXPECT_EQ(SearchQuality(fail, goal, meter).status().code(), StatusCode::kCancelled);
}

TEST(SearchQuality, HoldsNoMoreThanTheBestAndTheOneInWork) {
  FakeEncoder encoder(Linear(100'000));
  const uint64_t max_bytes = encoder.SizeAt(30);
  ASSERT_TRUE(encoder.Search(80, max_bytes).ok());
  const uint64_t kept = max_bytes + max_bytes / 2 + (64u << 10);
  const uint64_t first = encoder.SizeAt(80);
  EXPECT_LE(encoder.meter().peak_bytes(), kept + first + first / 2);
}

TEST(CheckMaxBytes, AllowsTheLimitItselfAndZeroIsNone) {
  EXPECT_TRUE(CheckMaxBytes(100, 100).ok());
  EXPECT_TRUE(CheckMaxBytes(100, 0).ok());
  EXPECT_EQ(CheckMaxBytes(101, 100).code(), StatusCode::kLimitExceeded);
}

}  // namespace
}  // namespace pixpress
