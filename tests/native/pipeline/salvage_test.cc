// Small files of every format, cut off at every byte, and damaged.

#include <array>

#include "pipeline/one_shot_fixture.h"

namespace pixpress {
namespace {

constexpr uint32_t kWidth = 20;
constexpr uint32_t kHeight = 17;

class SalvageTest : public OneShotTest {
 protected:
  using File = std::vector<uint8_t>;

  static std::vector<uint8_t> Pixels(uint32_t channels, uint32_t frame) {
    std::vector<uint8_t> pixels(size_t{kWidth} * kHeight * channels);
    for (size_t i = 0; i < pixels.size(); ++i) {
      const size_t value = i * (i / 9 + 3) + 80 * frame;
      pixels[i] = static_cast<uint8_t>(i % channels == 3 ? 255 : value & 0xC0);
    }
    return pixels;
  }

  static File Still(Format format, const Settings& asked, bool has_alpha) {
    const std::vector<uint8_t> pixels = Pixels(has_alpha ? 4 : 3, 0);
    Source source;
    source.kind = Source::Kind::kPixels;
    source.bytes = pixels;
    source.layout = ImageLayout::Interleaved(kWidth, kHeight, ColorModel::kRgb, has_alpha);
    source.stride_bytes = source.layout.row_bytes(0);
    Settings settings = asked;
    settings.format = format;
    Outcome made = Run(std::move(source), settings);
    EXPECT_TRUE(made.status.ok()) << made.status.message();
    return made.data;
  }

  File Animation(Format format) {
    const AnimationInfo animation = {kWidth, kHeight, 3, 0};
    ByteChain out(meter_);
    auto sink = FindCodec(format)->start_animation(animation, {}, {}, context_, &out);
    EXPECT_TRUE(sink.ok());
    for (uint32_t i = 0; i < animation.frames; ++i) {
      const auto layout = ImageLayout::Interleaved(kWidth, kHeight, ColorModel::kRgb, true);
      const std::vector<uint8_t> pixels = Pixels(4, i);
      const auto rows = MakeBorrowedSource(layout, pixels.data(), layout.row_bytes(0), {});
      EXPECT_TRUE(sink.value()->Add(CollectRows(*rows, context_).value(), {7, 100}).ok());
    }
    EXPECT_TRUE(sink.value()->Finish().ok());
    File file(out.size_bytes());
    out.CopyTo(file.data());
    return file;
  }

  // How many of the files that begin like `file`, each longer by `step`, give an image.
  static size_t CutEverywhere(const File& file, Format format, size_t step = 1) {
    size_t images = 0;
    for (size_t bytes = 0; bytes < file.size(); bytes += step) {
      SCOPED_TRACE("cut off at " + std::to_string(bytes) + " of " + std::to_string(file.size()));
      // A copy, so that a sanitizer sees what is read behind its end.
      const File cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(bytes));
      images += ExpectSalvageIsHonest(cut, format).status.ok();
      if (HasFailure()) break;
    }
    return images;
  }

  static void DamageEverywhere(const File& file, Format format, size_t step = 3) {
    for (size_t at = 0; at < file.size(); at += step) {
      SCOPED_TRACE("damaged at " + std::to_string(at) + " of " + std::to_string(file.size()));
      File damaged = file;
      damaged[at] ^= static_cast<uint8_t>(1 + at * 37 % 255);
      ExpectSalvageIsHonest(damaged, format);
      if (HasFailure()) break;
    }
  }

  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
  const WorkContext context_{.meter = meter_, .stop = {}, .parallel = parallel_};
};

TEST_F(SalvageTest, JpegGivesAnImageFromItsFirstScanOn) {
  for (const Progressive progressive : {Progressive::kOff, Progressive::kOn}) {
    Settings settings;
    settings.progressive = progressive;
    const File file = Still(Format::kJpeg, settings, false);
    EXPECT_GT(CutEverywhere(file, Format::kJpeg), file.size() / 4);
    EXPECT_GT(CutEverywhere(file, Format::kPng), file.size() / 4);
    DamageEverywhere(file, Format::kPng);
  }
}

TEST_F(SalvageTest, PngGivesAnImageFromItsFirstRowOn) {
  for (const bool has_alpha : {false, true}) {
    const File file = Still(Format::kPng, {}, has_alpha);
    EXPECT_GT(CutEverywhere(file, Format::kPng), file.size() / 4);
    DamageEverywhere(file, Format::kWebp);
  }
}

TEST_F(SalvageTest, WebpGivesAnImageFromItsFirstRowOn) {
  for (const bool is_lossless : {false, true}) {
    Settings settings;
    settings.lossless = is_lossless;
    const File file = Still(Format::kWebp, settings, is_lossless);
    EXPECT_GT(CutEverywhere(file, Format::kWebp), 0u);
    DamageEverywhere(file, Format::kPng);
  }
}

TEST_F(SalvageTest, GifGivesAnImageFromItsFirstRowOn) {
  const File file = Still(Format::kGif, {}, false);
  EXPECT_GT(CutEverywhere(file, Format::kGif), 0u);
  DamageEverywhere(file, Format::kPng);
}

TEST_F(SalvageTest, AnimationsGiveTheFramesBeforeTheDamage) {
  for (const Format format : {Format::kGif, Format::kPng, Format::kWebp}) {
    const File file = Animation(format);
    EXPECT_GT(CutEverywhere(file, format, 7), file.size() / 20);
    EXPECT_GT(CutEverywhere(file, Format::kJpeg, 7), file.size() / 20);
    DamageEverywhere(file, Format::kWebp, 11);
  }
}

TEST_F(SalvageTest, AvifIsRefused) {
  if (FindCodec(Format::kAvif) == nullptr) GTEST_SKIP() << "AVIF is not built in";
  const File file = Still(Format::kAvif, {}, false);
  EXPECT_EQ(CutEverywhere(file, Format::kPng), 0u);
}

}  // namespace
}  // namespace pixpress
