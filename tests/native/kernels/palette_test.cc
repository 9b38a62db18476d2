#include "kernels/palette.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "kernels/all_targets.h"
#include "kernels/palette_color.h"
#include "kernels/palette_image.h"

namespace pixpress {
namespace {

struct Quantized {
  std::vector<Rgba> palette;
  std::vector<uint8_t> indices;
  bool operator==(const Quantized&) const = default;
};

Quantized Quantize(const PaletteImage& image, const PaletteOptions& options) {
  PaletteWorkplace workplace;
  Quantized made;
  auto palette = ChoosePalette(image.view(), options, workplace.context);
  EXPECT_TRUE(palette.ok());
  made.palette = palette.value();
  made.indices.resize(size_t{image.width} * image.height);
  EXPECT_TRUE(MapToPalette(image.view(), made.palette, options, workplace.context,
                           made.indices.data(), image.width)
                  .ok());
  EXPECT_LE(workplace.meter.peak_bytes(), PaletteMemoryBytes(image.width, image.height));
  return made;
}

// The ratio that min_quality is about, by its formula.
double Decibels(const PaletteImage& image, const Quantized& made) {
  double error = 0, pixels = 0;
  for (size_t i = 0; i < made.indices.size(); ++i) {
    const Rgba want = PixelColor(&image.data[i * image.channels], image.channels);
    if (want.a == 0) continue;
    const Rgba got = made.palette[made.indices[i]];
    const auto square = [&](double a, double b) { return (a - b) * (a - b); };
    const double wa = want.a / 255.0, ga = got.a / 255.0;
    const auto on_gray = [&](int w, int g) {
      return square(w * wa + 127.5 * (1 - wa), g * ga + 127.5 * (1 - ga));
    };
    error += 9 * on_gray(want.r, got.r) + 16 * on_gray(want.g, got.g) + 4 * on_gray(want.b, got.b) +
             9 * square(want.a, got.a);
    ++pixels;
  }
  return 10 * std::log10(255.0 * 255.0 * 45 / (error / pixels));
}

TEST(PaletteTest, EveryTargetGivesTheSamePaletteAndIndices) {
  for (const uint8_t channels : {3, 4}) {
    const PaletteImage image = NoisyGradient(300, 200, channels);
    std::vector<Quantized> all;
    ForEachTarget([&](const char*) { all.push_back(Quantize(image, {.max_colors = 100})); });
    ASSERT_GE(all.size(), 1u);
    for (const Quantized& made : all) EXPECT_TRUE(made == all[0]);
  }
}

TEST(PaletteTest, FewColorsAreKeptExactlyEvenIfTheyAlmostVanish) {
  PaletteImage image{200, 30, 4, {}};
  std::set<uint32_t> distinct;
  for (uint32_t i = 0; i < 6000; ++i) {
    // Low alphas, where premultiplied colors would fall together.
    const Rgba color{static_cast<uint8_t>(i % 16 * 16), static_cast<uint8_t>(i % 5), 9,
                     static_cast<uint8_t>(1 + i % 3)};
    image.data.insert(image.data.end(), {color.r, color.g, color.b, color.a});
    distinct.insert(PackColor(color));
  }
  ASSERT_LE(distinct.size(), 256u);
  const Quantized made = Quantize(image, {.max_colors = uint32_t(distinct.size())});
  EXPECT_EQ(made.palette.size(), distinct.size());
  for (size_t i = 0; i < made.indices.size(); ++i) {
    ASSERT_EQ(made.palette[made.indices[i]], PixelColor(&image.data[4 * i], 4));
  }
}

TEST(PaletteTest, NeverMoreColorsThanAskedForAndAllAreUsed) {
  for (const uint8_t channels : {3, 4}) {
    const PaletteImage image = NoisyGradient(160, 120, channels);
    for (const uint32_t colors : {2, 3, 5, 17, 255, 256}) {
      const Quantized made = Quantize(image, {.max_colors = colors, .dither = 0.0f});
      EXPECT_LE(made.palette.size(), colors);
      EXPECT_GE(made.palette.size(), std::min(colors, 200u));
      EXPECT_LT(*std::max_element(made.indices.begin(), made.indices.end()), made.palette.size());
    }
  }
}

TEST(PaletteTest, TransparentPixelsShareOneEntryAndOpaqueOnesStayOpaque) {
  const PaletteImage image = NoisyGradient(150, 100, 4);
  for (const float dither : {0.0f, 1.0f}) {
    const Quantized made = Quantize(image, {.max_colors = 32, .dither = dither});
    EXPECT_EQ(std::count(made.palette.begin(), made.palette.end(), Rgba{0, 0, 0, 0}), 1);
    for (size_t i = 0; i < made.indices.size(); ++i) {
      const uint8_t alpha = image.data[4 * i + 3];
      const uint8_t got = made.palette[made.indices[i]].a;
      ASSERT_TRUE(got == alpha || (alpha != 0 && alpha != 255)) << i;
    }
  }
}

TEST(PaletteTest, AnImageThatIsAllTransparentHasOneColor) {
  const PaletteImage image{20, 20, 4, std::vector<uint8_t>(1600, 0)};
  const Quantized made = Quantize(image, {.max_colors = 2});
  EXPECT_EQ(made.palette, (std::vector<Rgba>{{0, 0, 0, 0}}));
}

TEST(PaletteTest, MinQualityTakesTheFewestColorsThatReachItsRatio) {
  for (const uint8_t channels : {3, 4}) {
    const PaletteImage image = NoisyGradient(200, 150, channels);
    for (const int quality : {1, 20, 35}) {
      PaletteOptions options{.max_colors = 256, .dither = 0.0f, .min_quality = quality};
      const Quantized made = Quantize(image, options);
      EXPECT_LT(made.palette.size(), 256u);
      EXPECT_GE(Decibels(image, made), PaletteDecibels(quality) - 0.05);
      options.min_quality.reset();
      options.max_colors = static_cast<uint32_t>(made.palette.size()) * 9 / 10;
      EXPECT_LT(Decibels(image, Quantize(image, options)), PaletteDecibels(quality));
    }
  }
}

TEST(PaletteTest, AQualityOutOfReachIsAnError) {
  PaletteWorkplace workplace;
  const PaletteImage image = NoisyGradient(200, 150, 3);
  const PaletteOptions options{.max_colors = 4, .min_quality = 90};
  const auto palette = ChoosePalette(image.view(), options, workplace.context);
  ASSERT_FALSE(palette.ok());
  EXPECT_EQ(palette.status().code(), StatusCode::kOption);
}

TEST(PaletteTest, LosslessIsAnErrorWhereColorsDoNotFit) {
  PaletteWorkplace workplace;
  const PaletteImage image = NoisyGradient(200, 150, 3);
  const auto palette =
      ChoosePalette(image.view(), {.max_colors = 256, .lossless = true}, workplace.context);
  ASSERT_FALSE(palette.ok());
  EXPECT_EQ(palette.status().code(), StatusCode::kOption);
  EXPECT_NE(palette.status().message().find("256 colors"), std::string::npos);
}

TEST(PaletteTest, MoreEffortDoesNotRaiseTheError) {
  const PaletteImage image = NoisyGradient(300, 200, 3);
  const auto decibels = [&](int effort) {
    return Decibels(image, Quantize(image, {.max_colors = 64, .dither = 0.0f, .effort = effort}));
  };
  EXPECT_GE(decibels(5), decibels(1) - 0.01);
  EXPECT_GE(decibels(10), decibels(5) - 0.01);
}

}  // namespace
}  // namespace pixpress
