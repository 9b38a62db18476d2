#include "image/frame.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace pixpress {
namespace {

TEST(DurationRounder, WholeUnitsStayAsTheyAre) {
  DurationRounder rounder(1000);
  EXPECT_EQ(rounder.Next({7, 100}), 70u);
  EXPECT_EQ(rounder.Next({0, 100}), 0u);
  EXPECT_EQ(rounder.Next({40, 1000}), 40u);
}

TEST(DurationRounder, ErrorsOfThirtiethsDoNotAddUp) {
  DurationRounder rounder(100);
  uint64_t sum = 0;
  for (int i = 0; i < 300; ++i) {
    const uint32_t units = rounder.Next({1, 30});
    EXPECT_TRUE(units == 3 || units == 4) << units;
    sum += units;
  }
  EXPECT_EQ(sum, 1000u);
}

TEST(DurationRounder, HugeDurationsSaturate) {
  DurationRounder rounder(1000);
  EXPECT_EQ(rounder.Next({0xFFFFFFFF, 1}), 0xFFFFFFFFu);
}

}  // namespace
}  // namespace pixpress
