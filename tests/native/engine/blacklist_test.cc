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
  list.AddDamaged(OfBytes(bad), std::nullopt, "damaged");
  EXPECT_EQ(list.Find(OfBytes(copy)), "damaged");
  EXPECT_FALSE(list.Find(OfBytes(same_size)).has_value());
  EXPECT_FALSE(list.Find(OfBytes({1, 1})).has_value());
}

TEST(Blacklist, DamageIsNoReasonForWhoSalvagesButADeadProcessIs) {
  const std::vector<uint8_t> damaged(100, 1);
  const std::vector<uint8_t> deadly(100, 2);
  Blacklist list;
  list.AddDamaged(OfBytes(damaged), std::nullopt, "damaged");
  EXPECT_FALSE(list.Blame(OfBytes(deadly), std::nullopt, "died", 2).has_value());
  EXPECT_FALSE(list.Find(OfBytes(deadly)).has_value());
  EXPECT_TRUE(list.Blame(OfBytes(deadly), std::nullopt, "died", 2).has_value());
  EXPECT_EQ(list.Find(OfBytes(damaged)), "damaged");
  EXPECT_FALSE(list.Find(OfBytes(damaged), /*salvages=*/true).has_value());
  EXPECT_EQ(list.Find(OfBytes(deadly), /*salvages=*/true), "died");
}

TEST(Blacklist, OfTwoReasonsTheWorseStands) {
  const std::vector<uint8_t> bad(100, 1);
  Blacklist list;
  list.AddDamaged(OfBytes(bad), std::nullopt, "damaged");
  EXPECT_TRUE(list.Blame(OfBytes(bad), std::nullopt, "died", 1).has_value()) << "for the journal";
  EXPECT_FALSE(list.AddDamaged(OfBytes(bad), std::nullopt, "damaged").has_value());
  EXPECT_EQ(list.Find(OfBytes(bad), /*salvages=*/true), "died");
  EXPECT_EQ(list.List().size(), 1u);
}

TEST(Blacklist, KeepsOverARestartWhatItIsFor) {
  const std::vector<uint8_t> bad(100, 1);
  Blacklist first;
  const auto key = first.AddDamaged(OfBytes(bad), std::nullopt, "damaged");
  ASSERT_TRUE(key.has_value());
  for (const bool is_damage : {true, false}) {
    Blacklist next;
    next.Restore({.key = *key, .reason = "r", .is_damage = is_damage});
    EXPECT_EQ(next.Find(OfBytes(bad), /*salvages=*/true).has_value(), !is_damage);
    EXPECT_TRUE(next.Find(OfBytes(bad)).has_value());
  }
}

TEST(Blacklist, NeverListsPixelsNorFilesWithoutIdentity) {
  Blacklist list;
  Source pixels;
  pixels.kind = Source::Kind::kPixels;
  list.AddDamaged(pixels, std::nullopt, "bad");
  Source file;
  file.name = "/nonexistent";
  list.AddDamaged(file, std::nullopt, "bad");
  EXPECT_TRUE(list.List().empty());
}

TEST(Blacklist, ForgetsTheOldestBeyondItsBound) {
  Blacklist list;
  for (uint32_t i = 0; i <= Blacklist::kMostEntries; ++i) {
    Source file;
    file.name = "file" + std::to_string(i);
    list.AddDamaged(file, FileIdentity{.size_bytes = i}, "bad");
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
