#include "kernels/ssimulacra2.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/all_targets.h"
#include "kernels/reproducible_power.h"

namespace pixpress {
namespace {

struct Pixels {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> rgb;

  uint8_t* row(uint32_t y) { return rgb.data() + size_t{y} * width * 3; }
  const uint8_t* row(uint32_t y) const { return rgb.data() + size_t{y} * width * 3; }
};

// Slopes of another steepness in each channel, with edges.
Pixels Scene(uint32_t width, uint32_t height) {
  Pixels made{width, height, std::vector<uint8_t>(size_t{width} * height * 3)};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      uint8_t* pixel = made.row(y) + x * 3;
      pixel[0] = static_cast<uint8_t>(x * 3 + y);
      pixel[1] = static_cast<uint8_t>(x + y * 2 + (x / 16 + y / 16) % 2 * 60);
      pixel[2] = static_cast<uint8_t>(200 - x / 2);
    }
  }
  return made;
}

Pixels Noisy(const Pixels& pixels, int amplitude) {
  Pixels made = pixels;
  std::mt19937 random(7);
  for (uint8_t& sample : made.rgb) {
    const int noise = static_cast<int>(random() % (2 * amplitude + 1)) - amplitude;
    sample = static_cast<uint8_t>(std::clamp(sample + noise, 0, 255));
  }
  return made;
}

double Score(const Pixels& reference, const Pixels& distorted) {
  BufferPool pool(0);
  Meter meter(pool);
  auto metric = Ssimulacra2::Create(reference.width, reference.height, meter);
  EXPECT_TRUE(metric.ok());
  EXPECT_EQ(meter.peak_bytes(), Ssimulacra2::MemoryBytes(reference.width, reference.height));
  for (uint32_t y = 0; y < reference.height; ++y) {
    metric.value().PushRow(reference.row(y), distorted.row(y));
  }
  return metric.value().Score();
}

TEST(Ssimulacra2, IsAHundredForEqualImagesAndFallsWithNoise) {
  for (const auto& [width, height] : {std::pair(300u, 280u), {64u, 40u}, {8u, 8u}, {3u, 1u}}) {
    const Pixels scene = Scene(width, height);
    EXPECT_EQ(Score(scene, scene), 100);
    double last = 100;
    for (const int amplitude : {4, 12, 40}) {
      const double score = Score(scene, Noisy(scene, amplitude));
      EXPECT_LT(score, last) << width << " x " << height << " with noise of " << amplitude;
      last = score;
    }
  }
}

TEST(Ssimulacra2, IsTheSameBitsOnEveryTarget) {
  for (const uint32_t width : {8u, 9u, 15u, 17u, 255u, 256u, 257u, 523u}) {
    const Pixels scene = Scene(width, 70);
    const Pixels noisy = Noisy(scene, 9);
    const double score = Score(scene, noisy);
    int targets = 0;
    ForEachTarget([&](const char* target) {
      ++targets;
      EXPECT_EQ(Score(scene, noisy), score) << target << ", width " << width;
    });
    EXPECT_GE(targets, 2);
  }
}

TEST(ReproduciblePower, IsThePowerToTwelveDigits) {
  for (double base = 1e-6; base < 1e4; base *= 1.37) {
    for (const double exponent : {0.25, 0.6276336467831387, 1.0, 2.4}) {
      const double power = std::pow(base, exponent);
      EXPECT_NEAR(ReproduciblePower(base, exponent), power, power * 1e-12);
    }
  }
}

}  // namespace
}  // namespace pixpress
