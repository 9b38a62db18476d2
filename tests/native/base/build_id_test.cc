#include "base/build_id.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(BuildId, IsTheLinkersDigestOfThisProgram) {
  const std::string id = BuildId();
  EXPECT_EQ(id.size(), 20u) << "SHA-1, as the linker was told";
  EXPECT_EQ(BuildId(), id);
}

}  // namespace
}  // namespace pixpress
