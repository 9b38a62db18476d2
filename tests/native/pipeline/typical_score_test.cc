#include "pipeline/typical_score.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(TypicalScore, RisesWithTheQualityAndHasAnInverse) {
  for (const Format format : {Format::kJpeg, Format::kWebp, Format::kAvif}) {
    for (int quality = 2; quality <= 100; ++quality) {
      const double score = TypicalScore(format, quality);
      EXPECT_GT(score, TypicalScore(format, quality - 1));
      EXPECT_NEAR(QualityOfTypicalScore(format, score), quality, 1e-9);
    }
    EXPECT_EQ(QualityOfTypicalScore(format, -1000), 1);
    EXPECT_EQ(QualityOfTypicalScore(format, 100), 100);
  }
}

}  // namespace
}  // namespace pixpress
