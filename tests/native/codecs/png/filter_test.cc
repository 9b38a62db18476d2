// Which filter each row gets.

#include "codecs/png/filter.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "codecs/png/deflate.h"
#include "codecs/png/fixture.h"

namespace pixpress {
namespace {

class PngRowsTest : public PngTest {};

TEST_F(PngRowsTest, TheShortestFilterDeflatesToTheLeastBehindThreeRowsWithinEightBytes) {
  const Image image = Make(ImageLayout::Interleaved(83, 40, ColorModel::kRgb, false, 8),
                           [](uint32_t x, uint32_t y, uint32_t c) {
                             return y % 9 < 4 ? x * y / 7 + c * 20 : (x / 5 + y / 3) % 4 * 50 + c;
                           });
  const PngRowFormat format = PngRowFormatOf(image.layout(), 8);
  const size_t line = format.line_bytes();
  std::vector<uint8_t> scratch(PngFilterScratchBytes(format));
  const auto filtered = [&](PngFilter filter, libdeflate_compressor* deflater) {
    std::vector<uint8_t> rows(40 * line);
    FilterPngRows(image, format, 0, 40, filter, scratch.data(), rows.data(), deflater);
    return rows;
  };
  const Deflater deflater = std::move(MakeDeflater(1)).value();
  const std::vector<uint8_t> shortest = filtered(PngFilter::kShortest, deflater.get());
  std::set<uint8_t> used;
  for (size_t y = 0; y < 40; ++y) {
    const size_t begin = (y - std::min<size_t>(y, 3)) * line, end = (y + 1) * line;
    const auto made_with = [&](const std::vector<uint8_t>& rows) {
      std::vector<uint8_t> strip(shortest.begin() + static_cast<ptrdiff_t>(begin),
                                 shortest.begin() + static_cast<ptrdiff_t>(end));
      std::copy_n(rows.begin() + static_cast<ptrdiff_t>(y * line), line,
                  strip.end() - static_cast<ptrdiff_t>(line));
      std::vector<uint8_t> out(2 * strip.size() + 64);
      return libdeflate_deflate_compress(deflater.get(), strip.data(), strip.size(), out.data(),
                                         out.size());
    };
    size_t least = ~size_t{0};
    for (uint8_t filter = 0; filter < 5; ++filter) {
      least = std::min(least, made_with(filtered(PngFilter{filter}, nullptr)));
    }
    EXPECT_LT(made_with(shortest), least + 8) << "row " << y;
    used.insert(shortest[y * line]);
  }
  EXPECT_GT(used.size(), 1u);
}

}  // namespace
}  // namespace pixpress
