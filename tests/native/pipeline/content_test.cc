#include "pipeline/content.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/stop_token.h"
#include "image/image.h"
#include "image/row_source.h"

namespace pixpress {
namespace {

constexpr uint32_t kSide = 40;

Content ContentOf(const ImageLayout& layout, const std::vector<uint8_t>& pixels) {
  const auto rows = MakeBorrowedSource(layout, pixels.data(), layout.row_bytes(0), StopToken());
  return ReadContent(*rows).value();
}

ImageLayout Rgb(bool has_alpha, uint8_t bits = 8) {
  return ImageLayout::Interleaved(kSide, kSide, ColorModel::kRgb, has_alpha, bits);
}

TEST(ReadContent, EqualNeighborsMakeAGraphic) {
  const ImageLayout layout = Rgb(false);
  std::vector<uint8_t> pixels(layout.total_bytes());
  for (const uint32_t run : {1u, 2u, 8u}) {  // As many pixels of each color.
    for (size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<uint8_t>(i / 3 / run);
    }
    EXPECT_EQ(ContentOf(layout, pixels).is_graphic, run > 1) << run;
  }
  // One channel tells pixels apart.
  std::fill(pixels.begin(), pixels.end(), 7);
  EXPECT_TRUE(ContentOf(layout, pixels).is_graphic);
  for (size_t i = 2; i < pixels.size(); i += 3) pixels[i] = static_cast<uint8_t>(i);
  EXPECT_FALSE(ContentOf(layout, pixels).is_graphic);
}

TEST(ReadContent, OnePixelThatIsNotOpaqueIsFound) {
  for (const uint8_t bits : {8, 16}) {
    const ImageLayout layout = Rgb(true, bits);
    std::vector<uint8_t> pixels(layout.total_bytes(), 0xff);
    EXPECT_TRUE(ContentOf(layout, pixels).is_opaque);
    // The alpha of a pixel in the middle, by its first byte: the low one of 16 bits.
    pixels[layout.row_bytes(0) * 9 + size_t{17} * bits / 2 + size_t{3} * bits / 8] = 0xfe;
    EXPECT_FALSE(ContentOf(layout, pixels).is_opaque);
  }
  EXPECT_TRUE(ContentOf(Rgb(false), std::vector<uint8_t>(Rgb(false).total_bytes())).is_opaque);
}

TEST(ReadContent, OnePixelIsAnImageToo) {
  const ImageLayout layout = ImageLayout::Interleaved(1, 1, ColorModel::kGray, false);
  EXPECT_TRUE(ContentOf(layout, {5}).is_opaque);
}

}  // namespace
}  // namespace pixpress
