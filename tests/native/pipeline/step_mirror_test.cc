#include "pipeline/step_mirror.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "image/image.h"

namespace pixpress {
namespace {

class StepMirrorTest : public testing::Test {
 protected:
  // All rows of the mirrored image, one after the other.
  std::vector<uint8_t> Mirror(const ImageLayout& layout, const std::vector<uint8_t>& pixels,
                              uint32_t least_side) {
    auto source = MakeBorrowedSource(layout, pixels.data(), layout.row_bytes(0), {});
    auto rows = MakeMirrorStep(std::move(source), least_side, context_).value();
    layout_ = rows->layout();
    const Image image = CollectRows(*rows, context_).value();
    std::vector<uint8_t> out;
    for (uint32_t y = 0; y < layout_.height; ++y) {
      out.insert(out.end(), image.row(0, y), image.row(0, y) + layout_.row_bytes(0));
    }
    return out;
  }

  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
  WorkContext context_{.meter = meter_, .stop = {}, .parallel = parallel_};
  ImageLayout layout_;  // Of what was mirrored last.
};

TEST_F(StepMirrorTest, EverySecondCopyGoesTheOtherWay) {
  const ImageLayout gray = ImageLayout::Interleaved(3, 2, ColorModel::kGray, false);
  EXPECT_EQ(Mirror(gray, {1, 2, 3, 4, 5, 6}, 5), (std::vector<uint8_t>{
                                                     1, 2, 3, 3, 2,  //
                                                     4, 5, 6, 6, 5,  //
                                                     4, 5, 6, 6, 5,  //
                                                     1, 2, 3, 3, 2,  //
                                                     1, 2, 3, 3, 2,
                                                 }));
}

TEST_F(StepMirrorTest, PixelsStayWhole) {
  const ImageLayout rgb = ImageLayout::Interleaved(2, 1, ColorModel::kRgb, false, 16);
  std::vector<uint8_t> pixels(rgb.total_bytes());
  std::iota(pixels.begin(), pixels.end(), 0);
  const std::vector<uint8_t> out = Mirror(rgb, pixels, 3);
  ASSERT_EQ(out.size(), 3u * 3 * 6);
  EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), out.begin()));
  EXPECT_TRUE(std::equal(pixels.begin() + 6, pixels.end(), out.begin() + 12));  // The second again.
}

TEST_F(StepMirrorTest, OnlyTheShortSideGrows) {
  const ImageLayout wide = ImageLayout::Interleaved(9, 1, ColorModel::kGray, false);
  Mirror(wide, std::vector<uint8_t>(9), 4);
  EXPECT_EQ(layout_.width, 9u);
  EXPECT_EQ(layout_.height, 4u);
}

TEST_F(StepMirrorTest, AnImageOfSuchSidesStaysAsItIs) {
  const ImageLayout layout = ImageLayout::Interleaved(4, 4, ColorModel::kGray, false);
  const std::vector<uint8_t> pixels(16);
  auto source = MakeBorrowedSource(layout, pixels.data(), 4, {});
  const RowSource* const own = source.get();
  EXPECT_EQ(MakeMirrorStep(std::move(source), 4, context_).value().get(), own);
  EXPECT_EQ(MirrorMemoryBytes(layout, 4), 0u);
  EXPECT_GT(MirrorMemoryBytes(layout, 5), 16u + 25);
}

}  // namespace
}  // namespace pixpress
