#include "image/limits.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace pixpress {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

TEST(LimitsTest, TheLimitItselfIsAllowedAndOnePixelMoreIsNot) {
  Limits limits;
  limits.max_pixels = 120;
  EXPECT_TRUE(CheckDimensions(12, 10, limits).ok());
  EXPECT_TRUE(CheckDimensions(120, 1, limits).ok());
  EXPECT_EQ(CheckDimensions(11, 11, limits).code(), StatusCode::kLimitExceeded);
}

TEST(LimitsTest, TheMessageNamesTheSidesAndTheLimit) {
  Limits limits;
  limits.max_pixels = 120;
  EXPECT_EQ(CheckDimensions(200, 300, limits).message(),
            "the image is 200 x 300 pixels; max_pixels is 120");
}

TEST(LimitsTest, AProductThatOverflowsIsRefused) {
  // 2^32 x 2^32 wraps to 0 in 64 bits.
  EXPECT_EQ(CheckDimensions(uint64_t{1} << 32, uint64_t{1} << 32, {}).code(),
            StatusCode::kLimitExceeded);
  EXPECT_EQ(CheckDimensions(kMost, kMost, {}).code(), StatusCode::kLimitExceeded);
}

TEST(LimitsTest, AnEmptySideIsDamageWhateverTheLimit) {
  EXPECT_EQ(CheckDimensions(0, 5, {}).code(), StatusCode::kCorruptImage);
  EXPECT_EQ(CheckDimensions(5, 0, {}).code(), StatusCode::kCorruptImage);
  EXPECT_EQ(CheckDimensions(0, kMost, {}).code(), StatusCode::kCorruptImage);
}

TEST(LimitsTest, InputAndMetadataBytesEachHaveTheirLimit) {
  Limits limits;
  limits.max_input_bytes = 10;
  limits.max_metadata_bytes = 20;
  EXPECT_TRUE(CheckInputBytes(10, limits).ok());
  EXPECT_EQ(CheckInputBytes(11, limits).message(), "the input has 11 bytes; max_input_bytes is 10");
  EXPECT_TRUE(CheckMetadataBytes(20, limits).ok());
  const Status refused = CheckMetadataBytes(21, limits);
  EXPECT_EQ(refused.code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(refused.message(), "the metadata has 21 bytes; max_metadata_bytes is 20");
}

}  // namespace
}  // namespace pixpress
