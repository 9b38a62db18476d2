#include "kernels/palette_color.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

namespace pixpress {
namespace {

Rgba RandomColor(std::mt19937* random) {
  const auto level = [&] { return static_cast<uint8_t>((*random)() & 255); };
  return {level(), level(), level(), level()};
}

// The weighted squared difference that shows on a ground of one gray level.
double ShownOn(double ground, Rgba a, Rgba b) {
  const auto shown = [&](double value, double alpha) {
    return (value * alpha + ground * (255 - alpha)) / 255;
  };
  const auto square = [](double x) { return x * x; };
  return 9 * square(shown(a.r, a.a) - shown(b.r, b.a)) +
         16 * square(shown(a.g, a.a) - shown(b.g, b.a)) +
         4 * square(shown(a.b, a.a) - shown(b.b, b.a));
}

TEST(PaletteColorTest, DistanceIsWhatBlackAndWhiteGroundShowInTheMean) {
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const Rgba a = RandomColor(&random), b = RandomColor(&random);
    const double shown = (ShownOn(0, a, b) + ShownOn(255, a, b)) / 2;
    // Alpha weighs 9 instead of 29 / 4; coordinates are rounded.
    const double more = (9 - 29.0 / 4) * (a.a - b.a) * (a.a - b.a);
    const double rounded = 4 + 4 * std::sqrt(shown);
    EXPECT_NEAR(SquaredDistance(ToPaletteColor(a), ToPaletteColor(b)), shown + more, rounded);
  }
}

TEST(PaletteColorTest, ColorsComeBack) {
  std::mt19937 random(2);
  EXPECT_EQ(ToStraight(ToPaletteColor({0, 0, 0, 0})), (Rgba{0, 0, 0, 0}));
  for (int i = 0; i < 10'000; ++i) {
    Rgba color = RandomColor(&random);
    const auto near = [&](uint8_t a, uint8_t b) {
      // Half a coordinate of blue, of which one is half a level of an opaque color.
      return std::abs(a - b) * color.a <= 64 + color.a / 2;
    };
    const Rgba back = ToStraight(ToPaletteColor(color));
    EXPECT_EQ(back.a, color.a);
    EXPECT_TRUE(color.a == 0 ||
                (near(back.r, color.r) && near(back.g, color.g) && near(back.b, color.b)));
    color.a = 255;
    EXPECT_EQ(ToStraight(ToPaletteColor(color)), color);
  }
}

}  // namespace
}  // namespace pixpress
