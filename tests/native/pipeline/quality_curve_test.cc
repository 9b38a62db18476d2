#include "pipeline/quality_curve.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

constexpr QualityCurve kCurve = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 21, 22};

TEST(QualityCurve, GoesThroughItsPointsOnLines) {
  EXPECT_EQ(ValueAt(kCurve, 1), 0);
  EXPECT_EQ(ValueAt(kCurve, 80), 8);
  EXPECT_EQ(ValueAt(kCurve, 89), 10);
  EXPECT_EQ(ValueAt(kCurve, 90), 20);
  EXPECT_EQ(ValueAt(kCurve, 100), 22);
  EXPECT_DOUBLE_EQ(ValueAt(kCurve, 75), 7.5);
  EXPECT_DOUBLE_EQ(ValueAt(kCurve, 97.5), 21.5);
}

TEST(QualityCurve, HasAnInverseThatEndsAtItsEnds) {
  for (double quality = 1; quality <= 100; quality += 0.25) {
    EXPECT_NEAR(QualityAt(kCurve, ValueAt(kCurve, quality)), quality, 1e-9);
  }
  EXPECT_EQ(QualityAt(kCurve, -5), 1);
  EXPECT_EQ(QualityAt(kCurve, 50), 100);
}

}  // namespace
}  // namespace pixpress
