#include "observe/histogram.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

constexpr int64_t kUs = 1000;

TEST(Histogram, PercentilesAreWithinAnEighthAboveTheTruth) {
  Histogram histogram;
  for (int64_t us = 1; us <= 100'000; ++us) histogram.Add(us * kUs);
  for (const double fraction : {0.5, 0.9, 0.95, 0.99, 1.0}) {
    const auto truth = static_cast<double>(100'000 * kUs) * fraction;
    const auto said = static_cast<double>(histogram.PercentileNs(fraction));
    EXPECT_GE(said, truth) << fraction;
    EXPECT_LE(said, truth * 1.126) << fraction;
  }
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_EQ(histogram.sum_ns(), int64_t{100'000} * 100'001 / 2 * kUs);
}

TEST(Histogram, EachDurationIsBelowTheUpperEndOfItsBucket) {
  for (int64_t ns = 1; ns < int64_t{1} << 39; ns = ns * 5 / 4 + 1) {
    Histogram histogram;
    histogram.Add(ns);
    EXPECT_GT(histogram.PercentileNs(0.5), ns);
    EXPECT_LE(histogram.PercentileNs(0.5), ns + std::max<int64_t>(ns / 8 + 1, kUs));
  }
}

TEST(Histogram, TakesAnyDuration) {
  Histogram histogram;
  EXPECT_EQ(histogram.PercentileNs(0.5), 0);
  histogram.Add(-5);
  EXPECT_EQ(histogram.PercentileNs(0.5), kUs);
  histogram.Add(INT64_MAX);
  EXPECT_GT(histogram.PercentileNs(1.0), 1000 * int64_t{1'000'000'000});
}

}  // namespace
}  // namespace pixpress
