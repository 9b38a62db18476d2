#include "pipeline/output_name.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

TEST(OutputNameTest, AStarBecomesThePreferredExtension) {
  EXPECT_EQ(OutputName("out/a.*", Format::kJpeg), "out/a.jpg");
  EXPECT_EQ(OutputName("a.b.*", Format::kWebp), "a.b.webp");
  EXPECT_EQ(OutputName("*.*", Format::kPng), "*.png");
  EXPECT_EQ(OutputName(".a.*", Format::kGif), ".a.gif");
}

TEST(OutputNameTest, OtherNamesStay) {
  for (const char* path : {"", "a", "a.jpg", "a*", "a.**", ".*", "out/.*", "out/...*", "a.*/b"}) {
    EXPECT_EQ(OutputName(path, Format::kWebp), path);
  }
  EXPECT_EQ(OutputName("a.*", Format::kUnknown), "a.*") << "the format is not known yet";
}

}  // namespace
}  // namespace pixpress
