#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pixpress {
namespace {

std::string HexOf(std::string_view text, Sha256::Target target = Sha256::Target::kBest) {
  Sha256 hash(target);
  hash.Update(text);
  return hash.Finish().Hex();
}

class Sha256Test : public testing::TestWithParam<Sha256::Target> {};
INSTANTIATE_TEST_SUITE_P(Targets, Sha256Test,
                         testing::Values(Sha256::Target::kBest, Sha256::Target::kPortable));

// FIPS 180-4 examples and the NIST long message.
TEST_P(Sha256Test, MatchesThePublishedVectors) {
  EXPECT_EQ(HexOf("", GetParam()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf("abc", GetParam()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", GetParam()),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
                  "klmnopqrlmnopqrsmnopqrstnopqrstu",
                  GetParam()),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(HexOf(std::string(1'000'000, 'a'), GetParam()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TargetsAgreeAtEveryLengthAroundTheBlocks) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(HexOf(text), HexOf(text, Sha256::Target::kPortable)) << i;
    text.push_back(static_cast<char>(i * 37 + 11));
  }
}

TEST(Sha256, PiecesOfAnySizeGiveTheDigestOfTheWhole) {
  std::string text(1000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i);
  for (size_t piece = 1; piece < 200; ++piece) {
    Sha256 hash;
    for (size_t at = 0; at < text.size(); at += piece) {
      hash.Update(std::string_view(text).substr(at, piece));
    }
    EXPECT_EQ(hash.Finish().Hex(), HexOf(text)) << piece;
  }
}

}  // namespace
}  // namespace pixpress
