#include "kernels/dither.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "kernels/all_targets.h"
#include "kernels/palette_image.h"

namespace pixpress {
namespace {

using Levels = std::array<int, 4>;

// The reference: the same rules in plain words, without cells or vectors.
class SlowDither {
 public:
  SlowDither(const PaletteImage& image, const std::vector<Rgba>& palette, int strength,
             int most_error)
      : image_(image),
        strength_(strength),
        most_error_(most_error),
        errors_(image.width + 2),
        next_(image.width + 2) {
    for (const Rgba& color : palette) palette_.push_back(ToPaletteColor(color));
  }

  std::vector<uint8_t> Run() {
    std::vector<uint8_t> indices(size_t{image_.width} * image_.height);
    for (int y = 0; y < int(image_.height); ++y) {
      for (int i = 0; i < int(image_.width); ++i) {
        const int step = y % 2 == 0 ? 1 : -1;
        const int x = y % 2 == 0 ? i : int(image_.width) - 1 - i;
        indices[size_t(y) * image_.width + size_t(x)] = Pixel(x, y, step);
      }
      errors_ = next_;
      std::fill(next_.begin(), next_.end(), Levels{});
    }
    return indices;
  }

 private:
  PaletteColor At(int x, int y) const {
    const auto column = uint32_t(std::clamp(x, 0, int(image_.width) - 1));
    const auto row = uint32_t(std::clamp(y, 0, int(image_.height) - 1));
    return ToPaletteColor(PixelColor(image_.at(column, row), image_.channels));
  }
  int Light(int x, int y) const { return At(x, y)[0] + At(x, y)[1] + At(x, y)[2]; }

  int Nearest(const PaletteColor& color, int* least) const {
    bool has_opaque = false;
    for (const auto& entry : palette_) has_opaque = has_opaque || entry[3] == kOpaqueAlpha;
    int best = -1;
    for (size_t i = 0; i < palette_.size(); ++i) {
      if (has_opaque && color[3] == kOpaqueAlpha && palette_[i][3] != kOpaqueAlpha) continue;
      int distance = 0;
      for (size_t c = 0; c < 4; ++c) {
        distance += (palette_[i][c] - color[c]) * (palette_[i][c] - color[c]);
      }
      if (best >= 0 && distance >= *least) continue;
      *least = distance;
      best = int(i);
    }
    return best;
  }

  uint8_t Pixel(int x, int y, int step) {
    const PaletteColor color = At(x, y);
    if (color[3] == 0) {
      for (size_t i = 0; i < palette_.size(); ++i) {
        if (palette_[i][3] == 0) return static_cast<uint8_t>(i);
      }
    }
    int least = 0;
    const bool is_flat = At(x - 1, y) == color && At(x + 1, y) == color && At(x, y - 1) == color &&
                         At(x, y + 1) == color;
    if (is_flat) {
      const int index = Nearest(color, &least);
      if (least <= 58) return static_cast<uint8_t>(index);
    }
    PaletteColor wanted = color;
    for (size_t c = 0; c < 4; ++c) {
      if (c == 3 && color[3] == kOpaqueAlpha) continue;
      const int most = most_error_ * kPaletteScale[c];
      const int received = std::clamp((errors_[size_t(x + 1)][c] + 8) >> 4, -most, most);
      wanted[c] = int16_t(std::clamp(color[c] + received, 0, 255 * kPaletteScale[c]));
    }
    const int index = Nearest(wanted, &least);
    Spread(x, step, wanted, palette_[size_t(index)], StrengthAt(x, y));
    return static_cast<uint8_t>(index);
  }

  int StrengthAt(int x, int y) const {
    const int contrast = std::max(std::abs(Light(x - 1, y) - Light(x + 1, y)),
                                  std::abs(Light(x, y - 1) - Light(x, y + 1)));
    return strength_ * (16 - std::clamp((contrast - 36) / 16, 0, 14)) >> 4;
  }

  void Spread(int x, int step, const PaletteColor& wanted, const PaletteColor& got, int strength) {
    for (size_t c = 0; c < 4; ++c) {
      const int error = ((wanted[c] - got[c]) * strength + 8) >> 4;
      errors_[size_t(x + 1 + step)][c] += 7 * error;
      next_[size_t(x + 1 - step)][c] += 3 * error;
      next_[size_t(x + 1)][c] += 5 * error;
      next_[size_t(x + 1 + step)][c] += error;
    }
  }

  const PaletteImage& image_;
  const int strength_;
  const int most_error_;
  std::vector<PaletteColor> palette_;
  std::vector<Levels> errors_, next_;
};

std::vector<uint8_t> Dither(const PaletteImage& image, const std::vector<Rgba>& palette,
                            float strength) {
  PaletteWorkplace workplace;
  std::vector<PaletteColor> colors;
  for (const Rgba& color : palette) colors.push_back(ToPaletteColor(color));
  auto cells = PaletteCells::Create(colors, workplace.meter);
  const PixelView view = image.view();
  auto ditherer = Ditherer::Create(view, *cells.value(), strength, workplace.meter);
  EXPECT_LE(workplace.meter.peak_bytes(),
            PaletteCells::MemoryBytes() + Ditherer::MemoryBytes(image.width));
  std::vector<uint8_t> indices(size_t{image.width} * image.height);
  for (uint32_t y = 0; y < image.height; ++y) ditherer.value()->NextRow(&indices[y * image.width]);
  return indices;
}

// Half the mean distance of each visible entry to its nearest, in levels; 6 to 127.
int MostError(const std::vector<Rgba>& palette) {
  double sum = 0, entries = 0;
  for (const Rgba& a : palette) {
    double least = 1e9;
    for (const Rgba& b : palette) {
      const double distance = SquaredDistance(ToPaletteColor(a), ToPaletteColor(b));
      if (a.a > 0 && b.a > 0 && distance > 0) least = std::min(least, distance);
    }
    if (least < 1e9) sum += std::sqrt(least / 29);
    if (least < 1e9) ++entries;
  }
  return entries == 0 ? 6 : std::clamp(int(sum / entries / 2), 6, 127);
}

std::vector<Rgba> Palette(bool with_alpha) {
  std::vector<Rgba> palette;
  for (int i = 0; i < 27; ++i) {
    const auto level = [&](int digit) { return static_cast<uint8_t>(digit % 3 * 120); };
    palette.push_back({level(i), level(i / 3), level(i / 9), 255});
    if (with_alpha && i % 2 == 0) palette.back().a = level(i / 3);
  }
  return palette;
}

TEST(DitherTest, EveryTargetGivesTheSlowReferencesIndices) {
  for (const uint8_t channels : {3, 4}) {
    for (const uint32_t width : {1, 2, 63, 130}) {
      PaletteImage image = NoisyGradient(width, 41, channels);
      // Some flat areas and hard edges.
      const size_t half = image.data.size() / 2 / channels * channels;
      for (size_t i = half; i < image.data.size(); ++i) {
        image.data[i] = i / (20 * channels) % 2 == 0 ? uint8_t{118} : image.data[i];
      }
      const auto palette = Palette(channels == 4);
      for (const float strength : {0.0f, 0.5f, 1.0f}) {
        const auto expected =
            SlowDither(image, palette, int(std::lround(strength * 16)), MostError(palette)).Run();
        ForEachTarget([&](const char* target) {
          if (strength == 0.0f) return;  // Maps without looking at flatness: tested below.
          EXPECT_EQ(Dither(image, palette, strength), expected)
              << target << " channels " << int{channels} << " width " << width;
        });
      }
    }
  }
}

TEST(DitherTest, WithoutStrengthEachPixelIsItsNearestEntry) {
  const PaletteImage image = NoisyGradient(97, 31, 3);
  const auto palette = Palette(false);
  ForEachTarget([&](const char* target) {
    const auto indices = Dither(image, palette, 0.0f);
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto color = ToPaletteColor(PixelColor(&image.data[3 * i], 3));
      int least = INT32_MAX;
      size_t best = 0;
      for (size_t k = 0; k < palette.size(); ++k) {
        int distance = 0;
        const auto entry = ToPaletteColor(palette[k]);
        for (size_t c = 0; c < 4; ++c) distance += (entry[c] - color[c]) * (entry[c] - color[c]);
        if (distance < least) best = k;
        least = std::min(least, distance);
      }
      ASSERT_EQ(indices[i], best) << target << " pixel " << i;
    }
  });
}

TEST(DitherTest, TheMeanOfAGradientIsKept) {
  PaletteImage image{256, 64, 3, {}};
  for (uint32_t i = 0; i < 256 * 64; ++i) {
    image.data.insert(image.data.end(), 3, static_cast<uint8_t>(i % 256));
  }
  const std::vector<Rgba> palette = {{0, 0, 0}, {85, 85, 85}, {170, 170, 170}, {255, 255, 255}};
  const auto mean_miss = [&](float strength) {
    const auto indices = Dither(image, palette, strength);
    double worst = 0;
    for (uint32_t column = 16; column + 32 < 256; column += 16) {
      double miss = 0;
      for (uint32_t y = 0; y < 64; ++y) {
        for (uint32_t x = column; x < column + 16; ++x) {
          miss += palette[indices[y * 256 + x]].g - double(x);
        }
      }
      worst = std::max(worst, std::abs(miss / (16 * 64)));
    }
    return worst;
  };
  EXPECT_LT(mean_miss(1.0f), 4.0);
  EXPECT_GT(mean_miss(0.0f), 30.0);
}

TEST(DitherTest, FlatAreasThatThePaletteHasStayFlat) {
  // A noisy left half that no entry fits, beside one flat color that an entry has nearly.
  PaletteImage image = NoisyGradient(100, 60, 3);
  for (uint32_t y = 0; y < 60; ++y) {
    for (uint32_t x = 50; x < 100; ++x) {
      for (uint32_t c = 0; c < 3; ++c) image.data[(y * 100 + x) * 3 + c] = 121;
    }
  }
  const auto palette = Palette(false);
  const auto indices = Dither(image, palette, 1.0f);
  for (uint32_t y = 1; y < 59; ++y) {
    for (uint32_t x = 51; x < 99; ++x) {
      ASSERT_EQ(palette[indices[y * 100 + x]], (Rgba{120, 120, 120, 255})) << x << ' ' << y;
    }
  }
}

TEST(DitherTest, TransparentPixelsShareTheirEntryAndPassNothingOn) {
  // Rows of hidden colors above and beside visible ones must not change those.
  PaletteImage plain{40, 40, 4, {}};
  for (uint32_t i = 0; i < 1600; ++i) {
    const bool is_hidden = i % 40 < 20 || i < 400;
    const auto value = static_cast<uint8_t>(90 + i % 7);
    plain.data.insert(plain.data.end(),
                      {value, value, value, is_hidden ? uint8_t{0} : uint8_t{255}});
  }
  PaletteImage loud = plain;
  for (size_t i = 0; i < loud.data.size(); i += 4) {
    if (loud.data[i + 3] == 0) loud.data[i] = loud.data[i + 1] = static_cast<uint8_t>(i);
  }
  std::vector<Rgba> palette = Palette(false);
  palette.push_back({0, 0, 0, 0});
  const auto indices = Dither(plain, palette, 1.0f);
  EXPECT_EQ(Dither(loud, palette, 1.0f), indices);
  for (uint32_t i = 0; i < 1600; ++i) {
    const bool is_hidden = i % 40 < 20 || i < 400;
    EXPECT_EQ(palette[indices[i]].a, is_hidden ? 0 : 255);
  }
}

}  // namespace
}  // namespace pixpress
