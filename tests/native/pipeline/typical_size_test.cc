#include "pipeline/typical_size.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(TypicalSize, RisesWithTheQualityAndHasAnInverse) {
  for (const Format format : {Format::kJpeg, Format::kWebp, Format::kAvif}) {
    EXPECT_EQ(TypicalSize(format, 80), 0);
    for (int quality = 2; quality <= 100; ++quality) {
      const double size = TypicalSize(format, quality);
      EXPECT_GT(size, TypicalSize(format, quality - 1));
      EXPECT_NEAR(QualityOfTypicalSize(format, size), quality, 1e-9);
    }
    EXPECT_EQ(QualityOfTypicalSize(format, -1000), 1);
    EXPECT_EQ(QualityOfTypicalSize(format, 1000), 100);
  }
}

}  // namespace
}  // namespace pixpress
