#include "codecs/jpeg/huffman.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "codecs/jpeg/bit_reader.h"

namespace pixpress {
namespace {

constexpr uint32_t kSeed = 20240611;

// Codes and values of `symbols` (DC or AC) with zero bits as values, and then ones.
uint64_t BitsOf(const JpegCodeTable& codes, uint8_t symbol, uint64_t value) {
  const uint32_t size = symbol & 15, total = codes[symbol].total_bits;
  return (uint64_t{codes[symbol].code} << size | value) << (64 - total);
}

JpegSymbolCounts RandomCounts(std::mt19937& random, bool is_steep) {
  JpegSymbolCounts counts = {};
  const int used = 1 + static_cast<int>(random() % 255);
  for (int i = 0; i < used; ++i) {
    const double exponent = is_steep ? i * 0.45 : (random() % 160) / 16.0;
    counts[random() % 256] = 1 + static_cast<uint32_t>(std::exp(std::min(exponent, 17.0)));
  }
  return counts;
}

void ExpectLegal(const JpegHuffmanSpec& spec, const JpegSymbolCounts& counts) {
  const JpegCodeTable codes = MakeJpegCodes(spec);
  double kraft = 0;
  for (int length = 1; length <= 16; ++length) kraft += std::ldexp(spec.counts[length], -length);
  EXPECT_LT(kraft, 1.0) << "a code of all ones";
  for (int symbol = 0; symbol < 256; ++symbol) {
    const uint32_t length = codes[symbol].total_bits - (symbol & 15);
    if (counts[symbol] == 0) {
      EXPECT_EQ(codes[symbol].total_bits, 0) << symbol;
    } else {
      EXPECT_TRUE(length >= 1 && length <= 16) << symbol << " " << length;
    }
  }
}

double CodedBits(const JpegHuffmanSpec& spec, const JpegSymbolCounts& counts) {
  const JpegCodeTable codes = MakeJpegCodes(spec);
  double bits = 0;
  for (int symbol = 0; symbol < 256; ++symbol) {
    if (counts[symbol] > 0)
      bits += double{1} * counts[symbol] * (codes[symbol].total_bits - (symbol & 15));
  }
  return bits;
}

double Entropy(const JpegSymbolCounts& counts) {
  double sum = 0, bits = 0;
  for (const uint32_t count : counts) sum += count;
  for (const uint32_t count : counts) {
    if (count > 0) bits -= count * std::log2(count / sum);
  }
  return bits;
}

TEST(JpegHuffman, EveryStandardSymbolIsFoundWithEveryValue) {
  for (const bool is_dc : {true, false}) {
    for (const bool is_chroma : {true, false}) {
      const JpegHuffmanSpec& spec = StandardJpegHuffman(is_dc, is_chroma);
      const JpegCodeTable codes = MakeJpegCodes(spec);
      JpegDecodeTable table;
      ASSERT_TRUE(table.Build(spec, is_dc));
      for (int i = 0; i < spec.symbol_count(); ++i) {
        const uint8_t symbol = spec.symbols[i];
        const int size = symbol & 15;
        for (int value = 0; value < 1 << size; ++value) {
          const uint64_t bits = BitsOf(codes, symbol, value);
          const JpegHuffmanEntry entry = table.Find(bits);
          ASSERT_EQ(entry & kJpegEntryWrong, 0u);
          ASSERT_EQ(JpegEntrySize(entry), uint32_t(size));
          ASSERT_EQ(JpegEntryStep(entry), uint32_t((symbol >> 4) + 1));
          const uint32_t end = entry & kJpegEntryMerged ? table.end_length() : 0;
          ASSERT_EQ(JpegEntryLength(entry) - end, codes[symbol].total_bits);
          const int expected = value >= 1 << size >> 1 ? value : value + 1 - (1 << size);
          ASSERT_EQ(ReadJpegValue(bits, entry).Signed(), size == 0 ? 0 : expected);
        }
      }
    }
  }
}

TEST(JpegHuffman, AMergedEndIsTheOneThatFollows) {
  const JpegHuffmanSpec& spec = StandardJpegHuffman(false, true);
  const JpegCodeTable codes = MakeJpegCodes(spec);
  JpegDecodeTable table;
  ASSERT_TRUE(table.Build(spec, false));
  // 0x01 has a code of 2 bits and one of value; the end is 00.
  const uint64_t value = BitsOf(codes, 0x01, 1);
  const JpegHuffmanEntry with_end = table.Find(value);
  EXPECT_NE(with_end & kJpegEntryMerged, 0u);
  EXPECT_EQ(JpegEntryLength(with_end), 5u);
  const JpegHuffmanEntry without = table.Find(value | uint64_t{3} << 59);
  EXPECT_EQ(without & (kJpegEntryMerged | kJpegEntryEnd), 0u);
  EXPECT_EQ(JpegEntryLength(without), 3u);
}

TEST(JpegHuffman, OptimalTablesAreLegalWhateverTheCounts) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 400; ++i) {
    const JpegSymbolCounts counts = RandomCounts(random, i % 2 == 0);
    ExpectLegal(MakeOptimalJpegHuffman(counts), counts);
  }
  ExpectLegal(MakeOptimalJpegHuffman({}), [] {
    JpegSymbolCounts one = {};
    one[0] = 1;
    return one;
  }());
}

TEST(JpegHuffman, OptimalTablesComeNearTheEntropyAndBeatTheStandardOnes) {
  std::mt19937 random(kSeed);
  const JpegHuffmanSpec& standard = StandardJpegHuffman(false, false);
  for (int i = 0; i < 50; ++i) {
    JpegSymbolCounts counts = {};
    for (int s = 0; s < standard.symbol_count(); ++s) {
      counts[standard.symbols[s]] = 1 + random() % 5000 / (1 + s);
    }
    const double bits = CodedBits(MakeOptimalJpegHuffman(counts), counts);
    EXPECT_LE(bits, CodedBits(standard, counts));
    EXPECT_GE(bits, Entropy(counts));
    // Huffman codes lose less than a bit, here far less.
    EXPECT_LE(bits, Entropy(counts) * 1.05);
  }
}

TEST(JpegHuffman, TablesThatNoDecoderTakesAreRefused) {
  JpegHuffmanSpec too_many;
  too_many.counts[1] = 3;
  JpegHuffmanSpec all_ones;
  all_ones.counts[2] = 4;
  JpegHuffmanSpec wide_dc;
  wide_dc.counts[2] = 1;
  wide_dc.symbols[0] = 16;
  JpegDecodeTable table;
  EXPECT_FALSE(table.Build(too_many, false));
  EXPECT_FALSE(table.Build(all_ones, false));
  EXPECT_FALSE(table.Build(wide_dc, true));
  EXPECT_TRUE(table.Build(wide_dc, false));
}

TEST(JpegHuffman, BitsThatAreNoCodeAndSymbolsWithoutMeaningAreWrong) {
  JpegHuffmanSpec spec;
  spec.counts[2] = 3;
  spec.symbols = {0x01, 0x0B, 0x50};
  JpegDecodeTable table;
  ASSERT_TRUE(table.Build(spec, false));
  EXPECT_EQ(table.Find(0) & kJpegEntryWrong, 0u);
  EXPECT_NE(table.Find(uint64_t{1} << 62) & kJpegEntryWrong, 0u);
  EXPECT_NE(table.Find(uint64_t{2} << 62) & kJpegEntryWrong, 0u);
  EXPECT_NE(table.Find(uint64_t{3} << 62) & kJpegEntryWrong, 0u);
  EXPECT_NE(table.Find(~uint64_t{0}) & kJpegEntryWrong, 0u);
}

}  // namespace
}  // namespace pixpress
