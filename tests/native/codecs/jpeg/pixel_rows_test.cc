// Large images from pixels, whose rows are coded on several threads.

#include "codecs/jpeg/pixel_rows.h"

#include <utility>
#include <vector>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/pixel_encode.h"
#include "codecs/jpeg/some_threads.h"

namespace pixpress {
namespace {

class JpegPixelRowsTest : public JpegTest {
 protected:
  // With noise that grows from left to right.
  Image LargePicture(const ImageLayout& layout) {
    Image image = Picture(layout);
    uint32_t state = 12345;
    for (size_t p = 0; p < layout.plane_count; ++p) {
      for (uint32_t y = 0; y < layout.planes[p].height; ++y) {
        for (uint32_t x = 0; x < layout.row_bytes(p); ++x) {
          state = state * 1664525u + 1013904223u;
          image.row(p, y)[x] = static_cast<uint8_t>(image.row(p, y)[x] + (state >> 24) * x / 65536);
        }
      }
    }
    return image;
  }
  // With the promise about memory checked.
  std::vector<uint8_t> Encode(const Image& image, const EncodeOptions& options,
                              Parallel& parallel) {
    auto source = MakeImageView(image, {});
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel};
    ByteChain out(meter);
    const Status status = EncodeJpegPixels(*source, options, {}, context, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), kJpegCodec.encode_memory_bytes(image.layout(), options));
    return Flat(out);
  }
  void ExpectTheSameOnAnyThreads(const Image& image, const EncodeOptions& options) {
    const std::vector<uint8_t> serial = Encode(image, options, parallel_);
    for (const auto& [threads, idle] : {std::pair{2, 8}, {3, 8}, {7, 8}, {2, 3}}) {
      SomeThreads parallel(threads, idle);
      EXPECT_TRUE(Encode(image, options, parallel) == serial)
          << threads << " threads, effort " << options.effort;
    }
    EXPECT_TRUE(Decode(serial).ok());
  }
};

TEST_F(JpegPixelRowsTest, EveryKindOfPixelsGivesTheSameFileOnAnyNumberOfThreads) {
  const ImageLayout layouts[] = {ImageLayout::Interleaved(2003, 1617, ColorModel::kRgb, false),
                                 ImageLayout::Interleaved(2203, 2009, ColorModel::kGray, false),
                                 ImageLayout::Ycbcr(2003, 1617, 2, 2),
                                 ImageLayout::Ycbcr(1803, 1417, 1, 1)};
  for (const ImageLayout& layout : layouts) {
    const Image image = LargePicture(layout);
    for (const int effort : {4, 7}) {
      ExpectTheSameOnAnyThreads(image, {.quality = 70, .effort = effort});
    }
  }
}

TEST_F(JpegPixelRowsTest, MoreTokensThanAreGatheredGiveTheSameFileOnAnyNumberOfThreads) {
  const Image image = LargePicture(ImageLayout::Interleaved(3001, 2807, ColorModel::kRgb, false));
  ExpectTheSameOnAnyThreads(image, {.quality = 98, .effort = 5, .chroma_h = 1, .chroma_v = 1});
}

TEST_F(JpegPixelRowsTest, ASourceThatFailsEndsIt) {
  class FailingSource final : public RowSource {
   public:
    explicit FailingSource(std::unique_ptr<RowSource> source) : source_(std::move(source)) {}
    const ImageLayout& layout() const override { return source_->layout(); }
    Status Next(Stripe* stripe) override {
      PIXPRESS_RETURN_IF_ERROR(source_->Next(stripe));
      return stripe->planes[0].first_row < 1000 ? Status()
                                                : Status(StatusCode::kCorruptImage, "it is");
    }

   private:
    std::unique_ptr<RowSource> source_;
  };
  const Image image = LargePicture(ImageLayout::Interleaved(2003, 1617, ColorModel::kRgb, false));
  SomeThreads parallel(3, 8);
  Meter meter(pool_);
  {
    const WorkContext context{meter, context_.stop, parallel};
    FailingSource source(MakeImageView(image, {}));
    ByteChain out(meter);
    EXPECT_EQ(EncodeJpegPixels(source, {}, {}, context, &out).code(), StatusCode::kCorruptImage);
  }
  EXPECT_EQ(meter.current_bytes(), 0u);
}

}  // namespace
}  // namespace pixpress
