#include "pipeline/log_size.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pixpress {
namespace {

TEST(LogSize, IsTheBinaryLogarithm) {
  EXPECT_EQ(LogSize(0), 0);
  for (uint64_t size_bytes = 1; size_bytes < uint64_t{1} << 50; size_bytes += 1 + size_bytes / 97) {
    EXPECT_NEAR(LogSize(size_bytes), std::log2(static_cast<double>(size_bytes)), 1e-6);
  }
}

TEST(LogSize, RisesWithTheSize) {
  for (uint64_t size_bytes = 1; size_bytes < 200'000; ++size_bytes) {
    ASSERT_LT(LogSize(size_bytes), LogSize(size_bytes + 1)) << size_bytes;
  }
}

}  // namespace
}  // namespace pixpress
