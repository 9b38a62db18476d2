#include "engine/config.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(ConfigTest, FreeMemoryIsPartOfTheAllowedMemory) {
  EXPECT_GT(FreeMemoryBytes(), 0u);
  EXPECT_LE(FreeMemoryBytes(), AllowedMemoryBytes());
}

TEST(ConfigTest, AtLeastOneCpuIsAllowed) { EXPECT_GE(AllowedCpus(), 1u); }

}  // namespace
}  // namespace pixpress
