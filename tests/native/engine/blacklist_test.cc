#include "engine/blacklist.h"

#include <gtest/gtest.h>

#include <vector>

namespace pixpress {
namespace {

Source OfBytes(const std::vector<uint8_t>& bytes) {
  Source source;
  source.kind = Source::Kind::kBytes;
  source.name = "<bytes>";
  source.bytes = bytes;
  return source;
}

TEST(Blacklist, KnowsBytesByTheirContent) {
  const std::vector<uint8_t> bad(100, 1);
  const std::vector<uint8_t> same_size(100, 2);
  const std::vector<uint8_t> copy = bad;
  Blacklist list;
  list.Add(OfBytes(bad), std::nullopt, "damaged");
  EXPECT_EQ(list.Find(OfBytes(copy)), "damaged");
  EXPECT_FALSE(list.Find(OfBytes(same_size)).has_value());
  EXPECT_FALSE(list.Find(OfBytes({1, 1})).has_value());
}

TEST(Blacklist, NeverListsPixelsNorFilesWithoutIdentity) {
  Blacklist list;
  Source pixels;
  pixels.kind = Source::Kind::kPixels;
  list.Add(pixels, std::nullopt, "bad");
  Source file;
  file.name = "/nonexistent";
  list.Add(file, std::nullopt, "bad");
  EXPECT_TRUE(list.List().empty());
}

TEST(Blacklist, ForgetsTheOldestBeyondItsBound) {
  Blacklist list;
  for (uint32_t i = 0; i <= Blacklist::kMostEntries; ++i) {
    Source file;
    file.name = "file" + std::to_string(i);
    list.Add(file, FileIdentity{.size_bytes = i}, "bad");
  }
  const auto entries = list.List();
  EXPECT_EQ(entries.size(), Blacklist::kMostEntries);
  EXPECT_EQ(entries.front().name, "file1");
  EXPECT_EQ(list.Clear("file7").size(), 1u);
  EXPECT_EQ(list.Clear("").size(), Blacklist::kMostEntries - 1);
  EXPECT_TRUE(list.List().empty());
}

}  // namespace
}  // namespace pixpress
