#include "kernels/convert.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

// The reference: one sample after the other, in the fixed point that the bytes are defined by.
constexpr int kHalf = 1 << 15;

uint8_t Clamp8(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

uint32_t Luma(uint32_t r, uint32_t g, uint32_t b) {
  return (19595u * r + 38470u * g + 7471u * b + kHalf) >> 16;
}

uint8_t RefCb(int r, int g, int b) {
  return Clamp8(128 + ((-11059 * r - 21709 * g + 32768 * b + kHalf - 1) >> 16));
}

uint8_t RefCr(int r, int g, int b) {
  return Clamp8(128 + ((32768 * r - 27439 * g - 5329 * b + kHalf - 1) >> 16));
}

template <typename T>
std::vector<T> RefConvert(const std::vector<T>& in, bool in_gray, bool in_alpha, bool out_gray,
                          bool out_alpha) {
  const size_t step = (in_gray ? 1 : 3) + (in_alpha ? 1 : 0);
  std::vector<T> out;
  for (size_t i = 0; i < in.size(); i += step) {
    const T r = in[i];
    const T g = in_gray ? r : in[i + 1];
    const T b = in_gray ? r : in[i + 2];
    if (out_gray) {
      out.push_back(in_gray ? r : static_cast<T>(Luma(r, g, b)));
    } else {
      out.insert(out.end(), {r, g, b});
    }
    if (out_alpha) out.push_back(in_alpha ? in[i + step - 1] : static_cast<T>(~T{0}));
  }
  return out;
}

template <typename T>
std::vector<T> RefFlatten(const std::vector<T>& in, size_t channels, const T* background) {
  constexpr uint64_t kMost = static_cast<T>(~T{0});
  std::vector<T> out;
  for (size_t i = 0; i < in.size(); i += channels) {
    const uint64_t alpha = in[i + channels - 1];
    for (size_t c = 0; c + 1 < channels; ++c) {
      out.push_back(static_cast<T>(
          (in[i + c] * alpha + background[c] * (kMost - alpha) + kMost / 2) / kMost));
    }
  }
  return out;
}

// Random samples, with many at both ends.
template <typename T>
std::vector<T> Samples(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<T> samples(count);
  for (T& sample : samples) {
    const uint32_t value = static_cast<uint32_t>(random());
    sample = static_cast<T>(value % 8 == 0 ? 0 : value % 8 == 1 ? ~T{0} : value >> 8);
  }
  return samples;
}

// Shorter than a vector, odd, and longer than some.
constexpr size_t kLengths[] = {1, 2, 7, 15, 16, 31, 63, 64, 65, 129, 1003};

// A guard behind the output shows writes beyond it.
template <typename T>
std::vector<T> Written(size_t count, const std::function<void(T*)>& write) {
  constexpr T kGuard = 0x5A;
  std::vector<T> out(count + 64, kGuard);
  write(out.data());
  for (size_t i = count; i < out.size(); ++i) EXPECT_EQ(out[i], kGuard) << "written beyond the row";
  out.resize(count);
  return out;
}

TEST(ConvertTest, EveryYcbcrGivesTheReferenceRgb) {
  ForEachTarget([](const char* target) {
    for (int luma = 0; luma < 256; luma += 5) {
      std::vector<uint8_t> y(65536, static_cast<uint8_t>(luma)), cb, cr, expected;
      for (int i = 0; i < 65536; ++i) {
        const int u = i / 256 - 128, v = i % 256 - 128;
        cb.push_back(static_cast<uint8_t>(i / 256));
        cr.push_back(static_cast<uint8_t>(i % 256));
        expected.push_back(Clamp8(luma + ((91881 * v + kHalf) >> 16)));
        expected.push_back(Clamp8(luma + ((-22554 * u - 46802 * v + kHalf) >> 16)));
        expected.push_back(Clamp8(luma + ((116130 * u + kHalf) >> 16)));
      }
      std::vector<uint8_t> rgb(expected.size());
      YcbcrToRgbRow(y.data(), cb.data(), cr.data(), y.size(), rgb.data());
      ASSERT_EQ(rgb, expected) << target << " luma " << luma;
    }
  });
}

TEST(ConvertTest, RgbGivesTheReferenceYcbcrForEveryRedAndBlue) {
  ForEachTarget([](const char* target) {
    for (int green = 0; green < 256; green += 5) {
      std::vector<uint8_t> rgb, expected_y, expected_cb, expected_cr;
      for (int i = 0; i < 65536; ++i) {
        const int r = i / 256, b = i % 256;
        rgb.insert(rgb.end(),
                   {static_cast<uint8_t>(r), static_cast<uint8_t>(green), static_cast<uint8_t>(b)});
        expected_y.push_back(static_cast<uint8_t>(Luma(r, green, b)));
        expected_cb.push_back(RefCb(r, green, b));
        expected_cr.push_back(RefCr(r, green, b));
      }
      std::vector<uint8_t> y(65536), cb(65536), cr(65536), gray(65536);
      RgbToYcbcrRow(rgb.data(), y.size(), y.data(), cb.data(), cr.data());
      RgbToGrayRow(rgb.data(), 3, gray.size(), gray.data());
      ASSERT_EQ(y, expected_y) << target;
      ASSERT_EQ(gray, expected_y) << target;
      ASSERT_EQ(cb, expected_cb) << target;
      ASSERT_EQ(cr, expected_cr) << target;
    }
  });
}

TEST(ConvertTest, RowsOfEveryLengthStayWithinTheirBounds) {
  ForEachTarget([](const char* target) {
    for (const size_t n : kLengths) {
      const auto in = Samples<uint8_t>(4 * n, static_cast<uint32_t>(n));
      const auto rgb = Written<uint8_t>(3 * n, [&](uint8_t* out) {
        YcbcrToRgbRow(in.data(), in.data() + n, in.data() + 2 * n, n, out);
      });
      std::vector<uint8_t> y, cb, cr, gray4;
      for (size_t i = 0; i < n; ++i) {
        const int r = in[3 * i], g = in[3 * i + 1], b = in[3 * i + 2];
        EXPECT_EQ(rgb[3 * i], Clamp8(in[i] + ((91881 * (in[2 * n + i] - 128) + kHalf) >> 16)));
        y.push_back(static_cast<uint8_t>(Luma(r, g, b)));
        cb.push_back(RefCb(r, g, b));
        cr.push_back(RefCr(r, g, b));
        gray4.push_back(static_cast<uint8_t>(Luma(in[4 * i], in[4 * i + 1], in[4 * i + 2])));
      }
      std::vector<uint8_t> other(n), another(n);
      EXPECT_EQ(Written<uint8_t>(n,
                                 [&](uint8_t* out) {
                                   RgbToYcbcrRow(in.data(), n, out, other.data(), another.data());
                                 }),
                y)
          << target << ' ' << n;
      EXPECT_EQ(other, cb) << target << ' ' << n;
      EXPECT_EQ(another, cr) << target << ' ' << n;
      EXPECT_EQ(Written<uint8_t>(n, [&](uint8_t* out) { RgbToGrayRow(in.data(), 4, n, out); }),
                gray4)
          << target << ' ' << n;
    }
  });
}

// 4 x 4 of them from a quarter to three quarters of a level, in the order of Bayer.
int LumaThreshold(size_t row, size_t column) {
  constexpr int kBayer[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
  return (16 + 2 * kBayer[row % 4][column % 4] + 1) * 1024;
}

TEST(ConvertTest, LimitedRangeIsTheReferenceForEverySampleAndInPlace) {
  ForEachTarget([](const char* target) {
    for (const size_t n : {size_t{1024}, size_t{1023}, size_t{3}}) {
      for (size_t row = 0; row < 5; ++row) {
        std::vector<uint8_t> luma(n), chroma(n), expected_luma(n), expected_chroma(n);
        for (size_t i = 0; i < n; ++i) {
          luma[i] = chroma[i] = static_cast<uint8_t>(255 - i / 4);  // At each column.
          const int full = luma[i];
          expected_luma[i] =
              static_cast<uint8_t>(16 + ((full * 56283 + LumaThreshold(row, i)) >> 16));
          expected_chroma[i] = static_cast<uint8_t>(128 + (((full - 128) * 57569 + kHalf) >> 16));
        }
        LumaToLimitedRange(luma.data(), n, row, luma.data());
        ChromaToLimitedRange(chroma.data(), n, chroma.data());
        EXPECT_EQ(luma, expected_luma) << target;
        EXPECT_EQ(chroma, expected_chroma) << target;
      }
    }
  });
}

TEST(ConvertTest, LimitedLumaKeepsBlackWhiteAndTheMeanOfFlatAreas) {
  for (int full = 0; full < 256; ++full) {
    double sum = 0;
    for (size_t row = 0; row < 4; ++row) {
      const std::vector<uint8_t> luma(4, static_cast<uint8_t>(full));
      std::vector<uint8_t> limited(4);
      LumaToLimitedRange(luma.data(), 4, row, limited.data());
      for (const uint8_t each : limited) {
        sum += each;
        if (full == 0 || full == 255) {
          EXPECT_EQ(each, full == 0 ? 16 : 235);
        }
      }
    }
    // To nearest it would be half a level.
    EXPECT_NEAR(sum / 16, 16 + full * 219.0 / 255, 0.3) << full;
  }
}

TEST(ConvertTest, WidthsChangeExactlyForEverySample) {
  std::vector<uint16_t> wide(65536);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<uint16_t>(i);
  ForEachTarget([&](const char* target) {
    for (const size_t n : {size_t{65536}, size_t{65535}, size_t{5}}) {
      const auto narrow =
          Written<uint8_t>(n, [&](uint8_t* out) { Narrow16To8(wide.data(), n, out); });
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(narrow[i], (i * 255 + 32895) >> 16) << target << i;
      const auto again =
          Written<uint16_t>(n, [&](uint16_t* out) { Widen8To16(narrow.data(), n, out); });
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(again[i], narrow[i] * 257) << target << i;
    }
  });
}

template <typename T>
void ExpectEveryChannelChange(const char* target, size_t n) {
  for (int combination = 0; combination < 16; ++combination) {
    const bool in_gray = combination & 1, in_alpha = combination & 2;
    const bool out_gray = combination & 4, out_alpha = combination & 8;
    const size_t in_channels = (in_gray ? 1 : 3) + (in_alpha ? 1 : 0);
    const auto in = Samples<T>(n * in_channels, static_cast<uint32_t>(combination));
    const auto expected = RefConvert(in, in_gray, in_alpha, out_gray, out_alpha);
    const auto color = [](bool gray) { return gray ? ColorModel::kGray : ColorModel::kRgb; };
    EXPECT_EQ(Written<T>(expected.size(),
                         [&](T* out) {
                           ConvertChannelsRow(in.data(), color(in_gray), in_alpha, color(out_gray),
                                              out_alpha, 8 * sizeof(T), n, out);
                         }),
              expected)
        << target << " length " << n << " combination " << combination;
  }
}

TEST(ConvertTest, EveryChannelChangeIsTheReference) {
  ForEachTarget([](const char* target) {
    for (const size_t n : kLengths) {
      ExpectEveryChannelChange<uint8_t>(target, n);
      ExpectEveryChannelChange<uint16_t>(target, n);
    }
  });
}

TEST(ConvertTest, FlattenIsTheReferenceForEverySampleAndAlpha) {
  std::vector<uint8_t> in;
  for (int i = 0; i < 65536; ++i) {
    in.insert(in.end(), {static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i % 256)});
  }
  ForEachTarget([&](const char* target) {
    for (const uint8_t gray : {0, 1, 127, 200, 255}) {
      const auto out = Written<uint8_t>(65536, [&](uint8_t* to) {
        FlattenRow(in.data(), 2, 8, Rgba{gray, gray, gray, 255}, 65536, to);
      });
      EXPECT_EQ(out, RefFlatten(in, 2, &gray)) << target;
    }
  });
}

TEST(ConvertTest, FlattenOfColorAndSixteenBitsIsTheReference) {
  const Rgba background{250, 3, 77, 255};
  const uint8_t narrow[3] = {250, 3, 77};
  const uint16_t wide[3] = {250 * 257, 3 * 257, 77 * 257};
  const auto gray = static_cast<uint8_t>(Luma(250, 3, 77));
  const auto wide_gray = static_cast<uint16_t>(gray * 257);
  ForEachTarget([&](const char* target) {
    for (const size_t n : kLengths) {
      const auto in = Samples<uint8_t>(4 * n, 1);
      const auto in16 = Samples<uint16_t>(4 * n, 2);
      EXPECT_EQ(Written<uint8_t>(
                    3 * n, [&](uint8_t* to) { FlattenRow(in.data(), 4, 8, background, n, to); }),
                RefFlatten(in, 4, narrow))
          << target;
      EXPECT_EQ(
          Written<uint16_t>(
              3 * n, [&](uint16_t* to) { FlattenRow(in16.data(), 4, 16, background, n, to); }),
          RefFlatten(in16, 4, wide))
          << target;
      EXPECT_EQ(
          Written<uint16_t>(
              2 * n, [&](uint16_t* to) { FlattenRow(in16.data(), 2, 16, background, 2 * n, to); }),
          RefFlatten(in16, 2, &wide_gray))
          << target;
    }
  });
}

TEST(ConvertTest, CmykIsTheReferenceForEveryInkAndBlack) {
  std::vector<uint8_t> cmyk, expected;
  for (int i = 0; i < 65536; ++i) {
    const int ink = i / 256, black = i % 256;
    const int inks[3] = {ink, 255 - ink, ink / 2};
    for (const int c : inks) {
      cmyk.push_back(static_cast<uint8_t>(c));
      expected.push_back(static_cast<uint8_t>(((255 - c) * (255 - black) + 127) / 255));
    }
    cmyk.push_back(static_cast<uint8_t>(black));
  }
  ForEachTarget([&](const char* target) {
    for (const size_t n : {size_t{65536}, size_t{65531}, size_t{3}}) {
      EXPECT_EQ(
          Written<uint8_t>(3 * n, [&](uint8_t* to) { CmykToRgbRow(cmyk.data(), n, to); }),
          std::vector<uint8_t>(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(3 * n)))
          << target;
    }
  });
}

TEST(ConvertTest, TheTargetInUseHasItsName) {
  ForEachTarget([](const char* target) { EXPECT_STREQ(SimdTargetName(), target); });
}

}  // namespace
}  // namespace pixpress
