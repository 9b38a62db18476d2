#include "codecs/deflate/code.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace pixpress {
namespace {

// Sum of 2^-length over all codes; 1 where every bit string means something.
double KraftSum(const std::vector<uint8_t>& lengths) {
  double sum = 0;
  for (const uint8_t length : lengths) sum += length == 0 ? 0 : 1.0 / (1 << length);
  return sum;
}

TEST(HuffmanCodeTest, CodesAreCompleteAndWithinTheLimit) {
  for (const size_t symbols : {2, 3, 19, 30, 286}) {
    // Each twice as frequent as the one before, as far as 32 bits go: the deepest trees.
    std::vector<uint32_t> counts(symbols);
    for (size_t i = 0; i < symbols; ++i) counts[i] = i < 31 ? 1u << i : 1u;
    for (const uint32_t limit : {9, 15}) {
      std::vector<uint8_t> lengths(symbols);
      std::vector<uint16_t> codes(symbols);
      MakeHuffmanCode(counts, limit, lengths, codes);
      EXPECT_EQ(KraftSum(lengths), 1.0) << symbols << ", " << limit;
      for (const uint8_t length : lengths) EXPECT_LE(length, limit);
    }
  }
}

TEST(HuffmanCodeTest, FrequentSymbolsHaveShortCodes) {
  const std::array<uint32_t, 5> counts = {1, 8, 0, 4, 2};
  std::array<uint8_t, 5> lengths = {};
  std::array<uint16_t, 5> codes = {};
  MakeHuffmanCode(counts, 15, lengths, codes);
  EXPECT_EQ(lengths, (std::array<uint8_t, 5>{3, 1, 0, 2, 3}));
  // 0, 10, 110 and 111, the first bit lowest.
  EXPECT_EQ(codes, (std::array<uint16_t, 5>{0b011, 0, 0, 0b01, 0b111}));
}

TEST(HuffmanCodeTest, OneSymbolAloneHasABit) {
  const std::array<uint32_t, 3> counts = {0, 7, 0};
  std::array<uint8_t, 3> lengths = {9, 9, 9};
  std::array<uint16_t, 3> codes = {};
  MakeHuffmanCode(counts, 15, lengths, codes);
  EXPECT_EQ(lengths, (std::array<uint8_t, 3>{0, 1, 0}));
}

TEST(DeflateCodeTest, ABlockTakesTheBitsThatItTells) {
  for (const int uses : {1, 1000}) {  // Fixed codes, and codes of its own.
    DeflateCounts counts;
    counts.symbols[kEndOfBlock] = 1;
    std::vector<DeflateToken> tokens;
    for (int i = 0; i < uses; ++i) {
      tokens.push_back({0, static_cast<uint16_t>(i % 7)});
      tokens.push_back({static_cast<uint16_t>(3 + i % 256), static_cast<uint16_t>(1 + i * 31)});
    }
    for (const DeflateToken token : tokens) counts.Add(token);
    const DeflateCode code(counts);
    std::vector<uint8_t> out(100'000);
    DeflateBits bits(out);
    code.PutHeader(/*is_last=*/true, &bits);
    for (const DeflateToken token : tokens) code.Put(token, &bits);
    code.PutEnd(&bits);
    EXPECT_EQ(bits.End(/*is_last=*/true), (code.block_bits() + 7) / 8) << uses;
  }
}

}  // namespace
}  // namespace pixpress
