#include "kernels/color_histogram.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "kernels/palette_image.h"

namespace pixpress {
namespace {

ColorHistogram Count(const PaletteImage& image) {
  PaletteWorkplace workplace;
  auto histogram = ColorHistogram::Count(image.view(), workplace.context);
  EXPECT_TRUE(histogram.ok());
  EXPECT_LE(workplace.meter.peak_bytes(), ColorHistogram::MemoryBytes());
  return histogram.value();
}

TEST(ColorHistogramTest, FewColorsAreCountedExactly) {
  const PaletteImage image = NoisyGradient(120, 90, 4);
  std::map<uint32_t, uint32_t> expected;
  for (uint32_t y = 0; y < image.height; ++y) {
    for (uint32_t x = 0; x < image.width; ++x) {
      const uint8_t* p = image.at(x, y);
      ++expected[p[3] == 0 ? 0 : p[0] | p[1] << 8 | p[2] << 16 | uint32_t{p[3]} << 24];
    }
  }
  const ColorHistogram histogram = Count(image);
  EXPECT_TRUE(histogram.is_exact());
  ASSERT_EQ(histogram.entries().size(), expected.size());
  size_t i = 0;
  for (const auto& [key, count] : expected) {
    EXPECT_EQ(histogram.entries()[i].key, key);
    EXPECT_EQ(histogram.entries()[i++].count, count);
  }
}

// 2^20 colors, each once; alpha as asked for.
PaletteImage ManyColors(uint8_t alpha) {
  PaletteImage image{1024, 1024, 4, {}};
  for (uint32_t i = 0; i < 1024 * 1024; ++i) {
    const uint32_t mixed = i * 0x9E3779B1u;
    image.data.insert(image.data.end(),
                      {static_cast<uint8_t>(mixed >> 8), static_cast<uint8_t>(mixed >> 16),
                       static_cast<uint8_t>(mixed >> 24),
                       i % 1000 == 0   ? uint8_t{0}
                       : i % 1000 == 1 ? uint8_t{3}
                                       : alpha});
  }
  return image;
}

TEST(ColorHistogramTest, ManyColorsAreFoldedAndKeepTheirSums) {
  const PaletteImage image = ManyColors(255);
  const ColorHistogram histogram = Count(image);
  EXPECT_FALSE(histogram.is_exact());
  EXPECT_LE(histogram.entries().size(), ColorHistogram::kMostColors);
  EXPECT_GT(histogram.entries().size(), 1000u);
  std::array<uint64_t, 4> expected = {}, sums = {};
  for (size_t i = 0; i < image.data.size(); i += 4) {
    if (image.data[i + 3] == 0) continue;
    for (size_t c = 0; c < 4; ++c) expected[c] += image.data[i + c];
  }
  uint64_t pixels = 0, transparent = 0;
  for (const auto& entry : histogram.entries()) {
    pixels += entry.count;
    if (entry.key == 0) transparent = entry.count;
    for (size_t c = 0; c < 4; ++c) {
      sums[c] += uint64_t{entry.key >> (8 * c) & 255} * entry.count + entry.low[c];
    }
    // Opaque colors are never averaged with translucent ones.
    const PaletteColor mean = ColorHistogram::MeanColor(entry);
    const bool is_plain = mean[3] == kOpaqueAlpha || mean[3] == 3 * kPaletteScale[3];
    EXPECT_TRUE(entry.key == 0 || is_plain) << mean[3];
  }
  EXPECT_EQ(pixels, 1024u * 1024u);
  EXPECT_EQ(transparent, 1049u);
  EXPECT_EQ(sums, expected);
}

TEST(ColorHistogramTest, AStopEndsTheCount) {
  PaletteWorkplace workplace;
  StopSource stop;
  stop.RequestStop(StopReason::kCancelled);
  WorkContext context{workplace.meter, StopToken(stop), workplace.parallel};
  const PaletteImage image = NoisyGradient(10, 10, 3);
  EXPECT_FALSE(ColorHistogram::Count(image.view(), context).ok());
}

}  // namespace
}  // namespace pixpress
