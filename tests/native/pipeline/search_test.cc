#include "pipeline/search.h"

#include <gtest/gtest.h>

#include <vector>

namespace pixpress {
namespace {

// An encoder whose output has `bytes_per_quality` times the quality plus 100 bytes.
class FakeEncoder {
 public:
  explicit FakeEncoder(uint64_t bytes_per_quality) : bytes_per_quality_(bytes_per_quality) {}

  uint64_t SizeAt(int quality) const { return 100 + bytes_per_quality_ * quality; }
  Result<SearchResult> Search(int asked_quality, uint64_t max_bytes) {
    tried_.clear();
    const auto encode = [&](int quality, ByteChain* out) {
      tried_.push_back(quality);
      return out->Append(std::vector<uint8_t>(SizeAt(quality), static_cast<uint8_t>(quality)));
    };
    return SearchQuality(encode, asked_quality, max_bytes, meter_);
  }
  const std::vector<int>& tried() const { return tried_; }
  const Meter& meter() const { return meter_; }

 private:
  const uint64_t bytes_per_quality_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  std::vector<int> tried_;
};

TEST(SearchQuality, EncodesOnceIfTheAskedQualityFitsOrNothingIsAsked) {
  FakeEncoder encoder(1000);
  for (const uint64_t max_bytes : {uint64_t{0}, encoder.SizeAt(80)}) {
    const auto found = encoder.Search(80, max_bytes);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found.value().quality, 80);
    EXPECT_EQ(encoder.tried().size(), 1u);
  }
}

TEST(SearchQuality, FitsEveryLimitWithFewEncodesAndIsNearTheBest) {
  FakeEncoder encoder(1000);
  for (const int asked : {2, 33, 80, 100}) {
    for (int best = 1; best < asked; ++best) {
      const uint64_t max_bytes = encoder.SizeAt(best) + 1;
      const auto found = encoder.Search(asked, max_bytes);
      ASSERT_TRUE(found.ok()) << asked << " " << best;
      EXPECT_LE(found.value().data.size_bytes(), max_bytes);
      EXPECT_EQ(found.value().data.size_bytes(), encoder.SizeAt(found.value().quality));
      EXPECT_GE(found.value().quality, best - 3) << asked << " " << best;
      EXPECT_LE(encoder.tried().size(), best < 4 ? 7u : 6u) << asked << " " << best;
    }
  }
}

TEST(SearchQuality, SaysTheSizeOfQualityOneIfThatIsTooLarge) {
  FakeEncoder encoder(1000);
  for (const int asked : {1, 80, 100}) {
    const Status status = encoder.Search(asked, encoder.SizeAt(1) - 1).status();
    EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
    EXPECT_NE(status.message().find("1100 bytes"), std::string::npos) << status.message();
    EXPECT_LE(encoder.tried().size(), 8u);
    EXPECT_EQ(encoder.tried().back(), 1);
  }
}

TEST(SearchQuality, TakesAFailureOfTheEncoderAsItsOwn) {
  BufferPool pool(0);
  Meter meter(pool);
  const auto fail = [](int, ByteChain*) { return Status(StatusCode::kCancelled, "stopped"); };
  EXPECT_EQ(SearchQuality(fail, 80, 100, meter).status().code(), StatusCode::kCancelled);
}

TEST(SearchQuality, HoldsNoMoreThanTheBestAndTheOneInWork) {
  FakeEncoder encoder(100'000);
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
