#include "kernels/png_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

constexpr size_t kMargin = 8;
constexpr size_t kLengths[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 1021};

// By the words of the PNG specification (section 9).
int Predicted(PngRowFilter filter, int left, int up, int corner) {
  switch (filter) {
    case PngRowFilter::kNone:
      return 0;
    case PngRowFilter::kSub:
      return left;
    case PngRowFilter::kUp:
      return up;
    case PngRowFilter::kAverage:
      return (left + up) / 2;
    case PngRowFilter::kPaeth:
      break;
  }
  const int guess = left + up - corner;
  const int a = std::abs(guess - left), b = std::abs(guess - up), c = std::abs(guess - corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

std::vector<uint8_t> Reference(PngRowFilter filter, const std::vector<uint8_t>& row,
                               const std::vector<uint8_t>& up, size_t step) {
  std::vector<uint8_t> out;
  for (size_t i = kMargin; i < row.size(); ++i) {
    const int predicted = Predicted(filter, row[i - step], up[i], up[i - step]);
    out.push_back(static_cast<uint8_t>(row[i] - predicted));
  }
  return out;
}

// Behind a margin of zeros; smooth, noisy and extreme bytes by turns.
std::vector<uint8_t> Row(size_t bytes, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> row(kMargin + bytes);
  for (size_t i = 0; i < bytes; ++i) {
    const uint32_t value = static_cast<uint32_t>(random());
    const uint32_t kinds[4] = {value >> 8, static_cast<uint32_t>(i) + value % 3, 0, 255};
    row[kMargin + i] = static_cast<uint8_t>(kinds[i / 50 % 2 == 0 ? value % 4 : 1]);
  }
  return row;
}

TEST(PngFilterTest, EveryFilterIsTheSpecificationsForAllPixelSizesAndLengths) {
  ForEachTarget([](const char* target) {
    for (uint32_t filter = 0; filter < kPngRowFilters; ++filter) {
      for (const size_t step : {1, 2, 3, 4, 6, 8}) {
        for (const size_t bytes : kLengths) {
          const auto row = Row(bytes, 1), up = Row(bytes, 2);
          std::vector<uint8_t> out(bytes + 64, 0x5A);
          FilterPngRow(PngRowFilter{static_cast<uint8_t>(filter)}, row.data() + kMargin,
                       up.data() + kMargin, bytes, step, out.data());
          for (size_t i = bytes; i < out.size(); ++i) ASSERT_EQ(out[i], 0x5A) << "beyond the row";
          out.resize(bytes);
          ASSERT_EQ(out, Reference(PngRowFilter{static_cast<uint8_t>(filter)}, row, up, step))
              << target << " filter " << filter << " step " << step << " bytes " << bytes;
        }
      }
    }
  });
}

TEST(PngFilterTest, PaethIsRightForEveryLeftUpAndCorner) {
  ForEachTarget([](const char* target) {
    for (int corner = 0; corner < 256; ++corner) {
      // Pairs of pixels of one byte: the second has `left`, `up` and `corner` about it.
      std::vector<uint8_t> row(kMargin), up(kMargin);
      for (int i = 0; i < 65536; i += corner % 16 == 0 ? 1 : 7) {
        row.insert(row.end(), {static_cast<uint8_t>(i / 256), 0});
        up.insert(up.end(), {static_cast<uint8_t>(corner), static_cast<uint8_t>(i % 256)});
      }
      std::vector<uint8_t> out(row.size() - kMargin);
      FilterPngRow(PngRowFilter::kPaeth, row.data() + kMargin, up.data() + kMargin, out.size(), 1,
                   out.data());
      ASSERT_EQ(out, Reference(PngRowFilter::kPaeth, row, up, 1)) << target << " corner " << corner;
    }
  });
}

TEST(PngFilterTest, SumOfMagnitudesTakesBytesAsSigned) {
  ForEachTarget([](const char* target) {
    for (const size_t bytes : kLengths) {
      const auto row = Row(bytes, 3);
      uint64_t expected = 0;
      for (const uint8_t byte : row) expected += byte < 128 ? byte : 256u - byte;
      EXPECT_EQ(SumOfMagnitudes(row.data() + kMargin, bytes), expected) << target << ' ' << bytes;
    }
    EXPECT_EQ(SumOfMagnitudes(std::vector<uint8_t>(1000, 128).data(), 1000), 128000u) << target;
  });
}

TEST(PngFilterTest, DistinctBigramsAreCountedAfreshForEachRow) {
  PngRowCost cost;
  for (const size_t bytes : kLengths) {
    const auto row = Row(bytes, 4);
    std::set<std::pair<uint8_t, uint8_t>> pairs;
    for (size_t i = kMargin; i + 1 < row.size(); ++i) pairs.emplace(row[i], row[i + 1]);
    EXPECT_EQ(cost.DistinctBigrams(row.data() + kMargin, bytes), pairs.size()) << bytes;
    EXPECT_EQ(cost.DistinctBigrams(row.data() + kMargin, bytes), pairs.size()) << "second time";
  }
}

TEST(PngFilterTest, BigramEntropyIsTheFormulasAndCountedAfreshForEachRow) {
  PngRowCost cost;
  for (const size_t bytes : kLengths) {
    auto row = Row(bytes, 6);
    std::fill(row.begin() + kMargin, row.begin() + kMargin + static_cast<ptrdiff_t>(bytes / 2), 9);
    std::map<std::pair<uint8_t, uint8_t>, double> counts;
    for (size_t i = kMargin; i + 1 < row.size(); ++i) ++counts[{row[i], row[i + 1]}];
    double bits = 0;
    for (const auto& [pair, n] : counts) bits -= n * std::log2(n / static_cast<double>(bytes - 1));
    for (int time = 0; time < 2; ++time) {
      const auto got = static_cast<double>(cost.BigramEntropy(row.data() + kMargin, bytes)) / 256;
      EXPECT_NEAR(got, bits, static_cast<double>(bytes) / 256 + 1e-9) << bytes << ' ' << time;
    }
  }
  EXPECT_EQ(cost.BigramEntropy(std::vector<uint8_t>(999, 7).data(), 999), 0u);
}

TEST(PngFilterTest, EntropyIsTheFormulasWithinItsRounding) {
  for (const size_t bytes : kLengths) {
    const auto row = Row(bytes, 5);
    std::map<uint8_t, double> counts;
    for (size_t i = kMargin; i < row.size(); ++i) ++counts[row[i]];
    double bits = 0;
    for (const auto& [value, n] : counts) bits -= n * std::log2(n / static_cast<double>(bytes));
    const double got = static_cast<double>(PngRowCost::Entropy(row.data() + kMargin, bytes)) / 256;
    EXPECT_NEAR(got, bits, static_cast<double>(bytes) / 256 + 1e-9) << bytes;
  }
  EXPECT_EQ(PngRowCost::Entropy(std::vector<uint8_t>(999, 7).data(), 999), 0u);
  EXPECT_EQ(PngRowCost::Entropy(nullptr, 0), 0u);
}

}  // namespace
}  // namespace pixpress
