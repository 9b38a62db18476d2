#include "pipeline/score_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "pipeline/typical_score.h"

namespace pixpress {
namespace {

// Outputs of 100 bytes per quality, whose first byte is the quality; scored by a curve.
class FakeEncoder {
 public:
  explicit FakeEncoder(std::function<double(int)> score) : score_(std::move(score)) {}

  Result<SearchResult> Search(ScoreGoal goal) {
    tried_.clear();
    goal.format = Format::kJpeg;
    const auto encode = [&](int quality, ByteChain* out) {
      tried_.push_back(quality);
      return out->Append(std::vector<uint8_t>(quality * 100u, static_cast<uint8_t>(quality)));
    };
    const auto score = [&](const ByteChain& data) -> Result<double> {
      return score_(data.chunks()[0][0]);
    };
    return SearchScore(encode, score, goal, meter_);
  }
  const std::vector<int>& tried() const { return tried_; }
  double ScoreAt(int quality) const { return score_(quality); }
  const Meter& meter() const { return meter_; }

 private:
  const std::function<double(int)> score_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  std::vector<int> tried_;
};

// An image whose errors are `factor` times the typical ones, tilted along the qualities.
FakeEncoder Image(double factor, double tilt) {
  return FakeEncoder([=](int quality) {
    const double typical = TypicalScore(Format::kJpeg, quality);
    return 100 - factor * (100 - typical) * (1 + tilt * (quality - 60) / 40);
  });
}

TEST(SearchScore, ReachesTargetsWithFewEncodesAndLittleMore) {
  size_t searches = 0;
  size_t encodes = 0;
  for (const double factor : {0.4, 0.7, 1.0, 1.3, 1.8}) {
    for (const double tilt : {-0.2, 0.0, 0.2}) {
      for (const float target : {40.0f, 60.0f, 70.0f, 80.0f, 88.0f}) {
        FakeEncoder image = Image(factor, tilt);
        if (image.ScoreAt(100) < target) continue;
        const auto found = image.Search({.target = target});
        ASSERT_TRUE(found.ok());
        const int quality = found.value().quality;
        EXPECT_EQ(found.value().score, image.ScoreAt(quality));
        EXPECT_EQ(found.value().data.chunks()[0][0], quality);
        EXPECT_GE(image.ScoreAt(quality), target - ScoreGoal::kTolerance);
        int lowest = quality;
        while (lowest > 1 && image.ScoreAt(lowest - 1) >= target - ScoreGoal::kTolerance) --lowest;
        EXPECT_LE(quality, lowest * 1.08) << factor << " " << tilt << " " << target;
        EXPECT_LE(image.tried().size(), 8u);
        ++searches;
        encodes += image.tried().size();
      }
    }
  }
  EXPECT_GE(searches, 60u);
  EXPECT_LE(encodes, 3 * searches);
}

TEST(SearchScore, GivesTheBestThereIsWhereTheTargetIsBeyondIt) {
  FakeEncoder image = Image(2, 0);
  const auto found = image.Search({.target = 99});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().quality, 100);
  EXPECT_LE(image.tried().size(), 3u);
}

TEST(SearchScore, EncodesOnceIfTheAskedQualityIsAboveTheFloor) {
  FakeEncoder image = Image(1, 0);
  const auto found = image.Search({.floor = 60, .quality = 80});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().quality, 80);
  EXPECT_EQ(image.tried(), std::vector<int>{80});
}

TEST(SearchScore, StartsWhereAnImageOfThatDifficultyScoresTheTarget) {
  for (const double factor : {0.4, 0.7, 1.3, 1.8}) {
    FakeEncoder image = Image(factor, 0);
    const auto found = image.Search({.target = 70, .difficulty = factor});
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(image.tried().front(), found.value().quality);
  }
  EXPECT_TRUE(Image(1, 0).Search({.target = 70, .difficulty = 0}).ok());
}

TEST(SearchScore, EndsAtOnceWhereNoSmallerOutputIsToBeHad) {
  FakeEncoder image = Image(1, 0);
  const int quality = image.Search({.target = 70}).value().quality;
  const auto size_bytes = static_cast<uint64_t>(quality) * 100;
  // Too bad and too large.
  ASSERT_TRUE(image.Search({.target = 70, .useless_bytes = 100, .difficulty = 0.5}).ok());
  EXPECT_EQ(image.tried().size(), 1u);
  // A limit does not make it go on.
  ASSERT_TRUE(
      image.Search({.target = 70, .max_bytes = 50, .useless_bytes = 90, .difficulty = 0.5}).ok());
  EXPECT_EQ(image.tried().size(), 1u);
  // Good enough, but too large at any quality that is.
  ASSERT_TRUE(image.Search({.target = 70, .useless_bytes = size_bytes / 2}).ok());
  EXPECT_EQ(image.tried().size(), 1u);
  // Much too good: a lower quality may be smaller, and is.
  const auto found =
      image.Search({.target = 70, .useless_bytes = size_bytes + 1, .difficulty = 1.5});
  ASSERT_TRUE(found.ok());
  EXPECT_GT(image.tried().size(), 1u);
  EXPECT_LE(found.value().data.size_bytes(), size_bytes);
}

TEST(SearchScore, GivesUpATargetThatIsFarBeyondTheLimit) {
  // Needs quality 60 and is allowed 20: nothing near 60 is tried after a first guess far above it.
  FakeEncoder image([](int quality) { return static_cast<double>(quality); });
  const auto found = image.Search({.target = 60, .max_bytes = 2000, .difficulty = 2.5});
  ASSERT_TRUE(found.ok());
  EXPECT_LE(found.value().data.size_bytes(), 2000u);
  EXPECT_GE(found.value().data.size_bytes(), 2000u * 13 / 14);
  EXPECT_GT(image.tried().front(), 70);
  EXPECT_LT(image.tried()[1], 50);
}

TEST(SearchScore, RaisesTheQualityToTheFloorWithoutAnyTolerance) {
  FakeEncoder image = Image(1, 0);
  const auto found = image.Search({.floor = 78, .quality = 30});
  ASSERT_TRUE(found.ok());
  EXPECT_GE(found.value().score, 78);
  EXPECT_LT(image.ScoreAt(found.value().quality - 1), 78.6);
}

TEST(SearchScore, FindsTheOnlyQualityThatIsNeitherTooBadNorTooLarge) {
  for (int only = 2; only < 95; ++only) {
    FakeEncoder image([](int quality) { return static_cast<double>(quality); });
    const auto found = image.Search(
        {.floor = only, .quality = 95, .max_bytes = static_cast<uint64_t>(only) * 100});
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_EQ(found.value().quality, only);
  }
}

TEST(SearchScore, SaysWhatFloorAndLimitAllow) {
  FakeEncoder image([](int quality) { return static_cast<double>(quality); });
  const Status status = image.Search({.floor = 50, .quality = 80, .max_bytes = 4999}).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(status.message(),
            "min_quality 50 and max_bytes 4999 exclude each other: quality 49 makes 4900 bytes and "
            "scores 49.00, quality 50 makes 5000 bytes");
  const Status tiny = image.Search({.floor = 50, .quality = 80, .max_bytes = 99}).status();
  EXPECT_EQ(tiny.code(), StatusCode::kLimitExceeded);
}

TEST(SearchScore, EndsWhereScoresDoNotRiseWithTheQuality) {
  for (int seed = 1; seed < 200; ++seed) {
    FakeEncoder image(
        [seed](int quality) { return 50 + 45 * std::sin(static_cast<double>(quality * seed)); });
    const auto found = image.Search({.target = 70});
    ASSERT_TRUE(found.ok());
    EXPECT_LE(image.tried().size(), 12u);
    const double best_tried = image.ScoreAt(
        *std::ranges::max_element(image.tried(), {}, [&](int q) { return image.ScoreAt(q); }));
    EXPECT_TRUE(*found.value().score >= 70 - ScoreGoal::kTolerance || best_tried < 70);
  }
}

TEST(SearchScore, MakesTheOutputAgainInsteadOfKeepingALargeOne) {
  size_t more_encodes = 0;
  for (float target = 40; target < 95; target += 0.5f) {
    FakeEncoder keeping = Image(0.8, 0.4), dropping = Image(0.8, 0.4);
    const auto kept = keeping.Search({.target = target, .keep_bytes = 1 << 20});
    const auto made = dropping.Search({.target = target, .keep_bytes = 0});
    ASSERT_TRUE(kept.ok() && made.ok());
    EXPECT_EQ(made.value().quality, kept.value().quality);
    EXPECT_EQ(made.value().data.chunks()[0][0], kept.value().quality);
    more_encodes += dropping.tried().size() - keeping.tried().size();
  }
  EXPECT_GT(more_encodes, 0u);
}

}  // namespace
}  // namespace pixpress
