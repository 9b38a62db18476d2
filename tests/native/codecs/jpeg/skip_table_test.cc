#include "codecs/jpeg/skip_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace pixpress {
namespace {

struct Read {
  bool is_good = false;
  int64_t bits = 0;
  bool operator==(const Read&) const = default;
};

// Block after block until one is not in order, or the data's end comes near.
template <typename ReadOne>
std::vector<Read> ReadAll(const std::vector<uint8_t>& data, const ReadOne& read_one) {
  constexpr int64_t kMostBlockBits = 64 * 32;
  const auto end = static_cast<int64_t>(data.size() * 8);
  JpegBitReader reader(data.data());
  std::vector<Read> reads;
  for (int64_t bit = 0; bit + kMostBlockBits < end;) {
    reader.Refill();
    const bool is_good = read_one(reader);
    bit = (reader.next() - data.data()) * 8 - reader.unread_bits();
    reads.push_back({is_good, is_good ? bit : 0});
    if (!is_good) break;
  }
  return reads;
}

void ExpectTheSameBlocks(const JpegHuffmanSpec& spec, std::mt19937& random) {
  size_t blocks = 0;
  JpegDecodeTable table;
  ASSERT_TRUE(table.Build(spec, /*is_dc=*/false));
  JpegSkipTable skips;
  skips.Build(table, /*is_dc=*/false);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint8_t> data(2000);
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random() & random());
    const auto read = ReadAll(data, [&](JpegBitReader& reader) {
      return ReadJpegAc(reader, table, [](uint32_t, JpegValue) {});
    });
    const auto skipped =
        ReadAll(data, [&](JpegBitReader& reader) { return SkipJpegAc(reader, table, skips); });
    ASSERT_TRUE(read == skipped);
    blocks += read.size();
  }
  EXPECT_GE(blocks, 200u);
}

TEST(JpegSkipTable, BlocksEndWhereTheyAreReadTo) {
  std::mt19937 random(7);
  for (const bool is_chroma : {false, true}) {
    ExpectTheSameBlocks(StandardJpegHuffman(false, is_chroma), random);
  }
  for (int i = 0; i < 30; ++i) {
    // Tables of every shape, of symbols that make sense and of those that do not.
    JpegSymbolCounts counts = {};
    for (int used = 0; used < 5 + i * 5; ++used) counts[random() % 256] = 1u << random() % 20;
    counts[0] = 1u << random() % 20;
    ExpectTheSameBlocks(MakeOptimalJpegHuffman(counts), random);
  }
}

TEST(JpegSkipTable, ManySymbolsAreSkippedAtATime) {
  JpegDecodeTable table;
  ASSERT_TRUE(table.Build(StandardJpegHuffman(false, false), false));
  JpegSkipTable skips;
  skips.Build(table, /*is_dc=*/false);
  // Three values of one bit, codes 00, the end, 1010: all 13 bits are skipped only where it is
  // known.
  const uint32_t three = skips.Find(uint64_t{0b001'000'001'1010} << 51);
  EXPECT_EQ(JpegSkipTable::Length(three), 9u);
  EXPECT_EQ(JpegSkipTable::Steps(three), 3u);
  EXPECT_EQ(three >> JpegSkipTable::kEndShift, 0u);
  const uint32_t two = skips.Find(uint64_t{0b001'000'1010'00} << 52);
  EXPECT_EQ(JpegSkipTable::Length(two), 10u);
  EXPECT_EQ(JpegSkipTable::Steps(two), 2u);
  EXPECT_EQ(two >> JpegSkipTable::kEndShift, 1u);
}

TEST(JpegSkipTable, ReadyMadeTablesAreThoseThatAreBuilt) {
  for (const bool is_dc : {false, true}) {
    for (const bool is_chroma : {false, true}) {
      const JpegDecodeTable& table =
          *StandardJpegDecodeTable(StandardJpegHuffman(is_dc, is_chroma), is_dc);
      const JpegSkipTable* const ready = StandardJpegSkipTable(table);
      ASSERT_NE(ready, nullptr);
      JpegSkipTable built;
      built.Build(table, is_dc);
      for (uint64_t bits = 0; bits < 1 << JpegSkipTable::kLookupBits; ++bits) {
        const uint64_t at = bits << (64 - JpegSkipTable::kLookupBits);
        ASSERT_EQ(ready->Find(at), built.Find(at));
      }
    }
  }
  EXPECT_EQ(StandardJpegSkipTable(JpegDecodeTable()), nullptr);
}

}  // namespace
}  // namespace pixpress
