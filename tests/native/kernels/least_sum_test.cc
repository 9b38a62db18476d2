#include "kernels/least_sum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

TEST(LeastSumTest, EveryTargetFindsTheLastOfTheLeast) {
  ForEachTarget([](const char*) {
    std::mt19937 random(1);
    for (uint32_t count = 1; count <= 260; ++count) {
      for (const uint32_t kinds : {1u, 3u, 1u << 30}) {
        std::vector<uint32_t> a(count), b(count);
        for (uint32_t i = 0; i < count; ++i) {
          a[i] = static_cast<uint32_t>(random()) % kinds;
          b[i] = static_cast<uint32_t>(random()) % kinds;
        }
        LeastSum expected = {a[0] + b[0], 0};
        for (uint32_t i = 1; i < count; ++i) {
          if (a[i] + b[i] <= expected.sum) expected = {a[i] + b[i], i};
        }
        const LeastSum found = FindLeastSum(a.data(), b.data(), count);
        ASSERT_EQ(found.sum, expected.sum) << count;
        ASSERT_EQ(found.place, expected.place) << count;
      }
    }
  });
}

TEST(LeastSumTest, SumsMayUseAllBits) {
  const std::vector<uint32_t> a(40, 0xFFFFFFF0u);
  std::vector<uint32_t> b(40, 15);
  b[7] = 14;
  EXPECT_EQ(FindLeastSum(a.data(), b.data(), 40).place, 7u);
  EXPECT_EQ(FindLeastSum(a.data(), b.data(), 40).sum, 0xFFFFFFFEu);
}

}  // namespace
}  // namespace pixpress
