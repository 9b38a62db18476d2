#include "kernels/resize.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "memory/buffer.h"

namespace pixpress {
namespace {

struct Shape {
  uint32_t in_width, in_height, out_width, out_height;
};

using Samples = std::vector<double>;  // Interleaved, 0 to 1.

// The reference: filters by their formulas, in doubles, one axis after the other.
double Filtered(Filter filter, double at) {
  const double x = std::abs(at);
  const auto sinc = [](double v) {
    return v == 0 ? 1.0 : std::sin(std::numbers::pi * v) / (std::numbers::pi * v);
  };
  const auto cubic = [&](double b, double c) {
    const double x2 = x * x, x3 = x2 * x;
    if (x < 1) return ((12 - 9 * b - 6 * c) * x3 + (-18 + 12 * b + 6 * c) * x2 + 6 - 2 * b) / 6;
    if (x >= 2) return 0.0;
    return ((-b - 6 * c) * x3 + (6 * b + 30 * c) * x2 - (12 * b + 48 * c) * x + 8 * b + 24 * c) / 6;
  };
  switch (filter) {
    case Filter::kNearest:
    case Filter::kBox:
      return at > -0.5 && at <= 0.5 ? 1.0 : 0.0;
    case Filter::kBilinear:
      return x < 1 ? 1 - x : 0.0;
    case Filter::kHamming:
      return x < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(std::numbers::pi * x)) : 0.0;
    case Filter::kBicubic:
      return cubic(0, 0.5);
    case Filter::kMitchell:
      return cubic(1.0 / 3, 1.0 / 3);
    case Filter::kLanczos:
      return x < 3 ? sinc(x) * sinc(x / 3) : 0.0;
  }
  return 0;
}

// Resample `lines` lines of in_size samples; a sample is `step` after its neighbor.
Samples ReferenceAxis(const Samples& in, size_t in_size, size_t out_size, size_t step,
                      Filter filter) {
  if (in_size == out_size) return in;
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double stretch = std::max(1.0, scale);
  Samples out(in.size() / in_size * out_size);
  for (size_t line = 0; line < in.size() / in_size / step; ++line) {
    for (size_t i = 0; i < out_size; ++i) {
      const double center = (static_cast<double>(i) + 0.5) * scale;
      std::vector<double> weights(in_size, 0.0);
      double sum = 0;
      for (size_t j = 0; j < in_size; ++j) {
        weights[j] = Filtered(filter, (static_cast<double>(j) + 0.5 - center) / stretch);
        if (filter == Filter::kNearest) weights[j] = j == static_cast<size_t>(center) ? 1 : 0;
        sum += weights[j];
      }
      for (size_t s = 0; s < step; ++s) {
        double value = 0;
        for (size_t j = 0; j < in_size; ++j) {
          if (weights[j] != 0) value += weights[j] * in[(line * in_size + j) * step + s];
        }
        out[(line * out_size + i) * step + s] = value / sum;
      }
    }
  }
  return out;
}

Samples Reference(const Samples& in, const Shape& shape, size_t channels, Filter filter) {
  const Samples tall = ReferenceAxis(in, shape.in_width, shape.out_width, channels, filter);
  return ReferenceAxis(tall, shape.in_height, shape.out_height, shape.out_width * channels, filter);
}

double ToLinear(double x) { return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4); }
double ToSrgb(double x) {
  return x <= 0.0031308 ? x * 12.92 : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
}

// What the options ask for: linear light, premultiplied color, clamped at the end.
Samples ReferenceImage(Samples in, const Shape& shape, const ResizeOptions& options) {
  const size_t n = options.channels, colors = n - (options.has_alpha ? 1 : 0);
  for (size_t i = 0; i < in.size(); ++i) {
    if (i % n >= colors) continue;
    if (options.linear) in[i] = ToLinear(in[i]);
    if (options.has_alpha) in[i] *= in[i - i % n + colors];
  }
  Samples out = Reference(in, shape, n, options.filter);
  for (size_t i = 0; i < out.size(); i += n) {
    const double alpha = options.has_alpha ? std::clamp(out[i + colors], 0.0, 1.0) : 1.0;
    for (size_t c = 0; c < colors; ++c) {
      double value = alpha > 0 ? out[i + c] / alpha : 0.0;
      value = std::clamp(value, 0.0, 1.0);
      out[i + c] = options.linear ? ToSrgb(value) : value;
    }
    if (options.has_alpha) out[i + colors] = alpha;
  }
  return out;
}

std::vector<uint8_t> Stored(const Samples& samples, uint8_t bits) {
  std::vector<uint8_t> bytes(samples.size() * bits / 8);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (bits == 16) {
      const auto value = static_cast<uint16_t>(std::lround(samples[i] * 65535));
      std::memcpy(&bytes[2 * i], &value, 2);
    } else {
      bytes[i] = static_cast<uint8_t>(std::lround(samples[i] * 255));
    }
  }
  return bytes;
}

Samples Loaded(const std::vector<uint8_t>& bytes, uint8_t bits) {
  Samples samples(bytes.size() * 8 / bits);
  for (size_t i = 0; i < samples.size(); ++i) {
    uint16_t value = bytes[bits == 16 ? 0 : i];
    if (bits == 16) std::memcpy(&value, &bytes[2 * i], 2);
    samples[i] = value / (bits == 16 ? 65535.0 : 255.0);
  }
  return samples;
}

std::vector<uint8_t> Resize(std::vector<uint8_t> in, const Shape& shape,
                            const ResizeOptions& options, bool stays = false,
                            const PlaneResizer* like = nullptr) {
  in.resize(in.size() + kRowPadding);
  BufferPool pool(64 << 20);
  Meter meter(pool);
  const auto x = ResizeAxis::Whole(shape.in_width, shape.out_width);
  const auto y = ResizeAxis::Whole(shape.in_height, shape.out_height);
  auto resizer = PlaneResizer::Create(x, y, options, meter, like);
  EXPECT_TRUE(resizer.ok());
  const size_t pixel_bytes = options.channels * options.bits / 8;
  const size_t in_row = shape.in_width * pixel_bytes, out_row = shape.out_width * pixel_bytes;
  std::vector<uint8_t> out(out_row * shape.out_height);
  uint32_t made = 0;
  for (uint32_t row = 0; row < shape.in_height; ++row) {
    resizer.value()->PushRow(in.data() + row * in_row, stays);
    while (resizer.value()->row_ready()) resizer.value()->PopRow(out.data() + made++ * out_row);
  }
  EXPECT_EQ(made, shape.out_height);
  EXPECT_LE(meter.peak_bytes(), PlaneResizer::MemoryBytes(x, y, options));
  return out;
}

// Smooth shapes with an edge and some noise.
Samples Picture(const Shape& shape, size_t channels) {
  std::mt19937 random(shape.in_width * 31 + shape.in_height);
  std::uniform_real_distribution<double> noise(-0.05, 0.05);
  Samples picture;
  for (uint32_t y = 0; y < shape.in_height; ++y) {
    for (uint32_t x = 0; x < shape.in_width; ++x) {
      for (size_t c = 0; c < channels; ++c) {
        const double wave =
            0.5 + 0.3 * std::sin(0.09 * x * (1.0 + static_cast<double>(c))) * std::cos(0.07 * y);
        const double edge = x > shape.in_width / 2 ? 0.15 : -0.15;
        picture.push_back(std::clamp(wave + edge + noise(random), 0.0, 1.0));
      }
    }
  }
  return picture;
}

double Psnr(const Samples& a, const Samples& b) {
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return squares == 0 ? 99 : -10 * std::log10(squares / static_cast<double>(a.size()));
}

class ResizeTest : public testing::TestWithParam<Filter> {
 protected:
  void ExpectLikeReference(const Shape& shape, ResizeOptions options) {
    options.filter = GetParam();
    const auto in = Stored(Picture(shape, options.channels), options.bits);
    const Samples expected = ReferenceImage(Loaded(in, options.bits), shape, options);
    std::vector<uint8_t> first;
    for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      const auto out = Resize(in, shape, options);
      EXPECT_GE(Psnr(Loaded(out, options.bits), expected), 50.0)
          << hwy::TargetName(target) << " channels " << int{options.channels};
      if (first.empty()) first = out;
      EXPECT_EQ(out, first) << hwy::TargetName(target) << ": other bytes than another target";
    }
    hwy::SetSupportedTargetsForTest(0);
  }
};

constexpr Shape kShapes[] = {{97, 61, 41, 23}, {41, 23, 97, 61}, {300, 9, 7, 9},   {5, 120, 5, 17},
                             {64, 64, 63, 65}, {1, 1, 3, 2},     {1201, 3, 601, 2}};

TEST_P(ResizeTest, EveryChannelCountIsLikeTheReferenceOnAllTargets) {
  for (const Shape& shape : kShapes) {
    for (const uint8_t channels : {1, 2, 3, 4}) ExpectLikeReference(shape, {.channels = channels});
  }
}

TEST_P(ResizeTest, SixteenBitsAreLikeTheReferenceOnAllTargets) {
  for (const Shape& shape : kShapes) {
    for (const uint8_t channels : {1, 3}) {
      ExpectLikeReference(shape, {.channels = channels, .bits = 16});
    }
  }
}

TEST_P(ResizeTest, AlphaWeighsColor) {
  for (const uint8_t bits : {8, 16}) {
    for (const uint8_t channels : {2, 4}) {
      ExpectLikeReference({97, 61, 41, 23},
                          {.channels = channels, .bits = bits, .has_alpha = true});
    }
  }
}

TEST_P(ResizeTest, LinearLightIsLikeTheReference) {
  ExpectLikeReference({97, 61, 41, 23}, {.channels = 3, .linear = true});
  ExpectLikeReference({97, 61, 41, 23}, {.channels = 4, .has_alpha = true, .linear = true});
}

TEST_P(ResizeTest, AnImageOfTheSameSizeIsUnchanged) {
  const Shape shape{50, 40, 50, 40};
  const auto in = Stored(Picture(shape, 3), 8);
  EXPECT_EQ(Resize(in, shape, {.filter = GetParam(), .channels = 3}), in);
}

TEST_P(ResizeTest, RowsThatStayAreNotCopiedAndGiveTheSameBytes) {
  const Shape shape{97, 61, 41, 23};
  for (const uint8_t bits : {8, 16}) {
    for (const uint8_t channels : {1, 3, 4}) {
      for (const bool has_alpha : {false, channels == 4}) {
        const auto in = Stored(Picture(shape, channels), bits);
        const ResizeOptions options{
            .filter = GetParam(), .channels = channels, .bits = bits, .has_alpha = has_alpha};
        EXPECT_EQ(Resize(in, shape, options, /*stays=*/true), Resize(in, shape, options));
      }
    }
  }
}

TEST_P(ResizeTest, AResizerLikeAnotherGivesTheSameBytes) {
  BufferPool pool(64 << 20);
  Meter meter(pool);
  const Shape shape{97, 61, 41, 23};
  const auto in = Stored(Picture(shape, 1), 8);
  const auto expected = Resize(in, shape, {.filter = GetParam()});
  const Filter other_filter = GetParam() == Filter::kBox ? Filter::kBicubic : Filter::kBox;
  // The same axes, then another filter, width, and height.
  const std::pair<ResizeAxis, Filter> likes[] = {{ResizeAxis::Whole(97, 41), GetParam()},
                                                 {ResizeAxis::Whole(97, 41), other_filter},
                                                 {ResizeAxis::Whole(97, 42), GetParam()}};
  for (const auto& [x, filter] : likes) {
    for (const uint32_t height : {23, 24}) {
      auto like = PlaneResizer::Create(x, ResizeAxis::Whole(61, height), {.filter = filter}, meter);
      ASSERT_TRUE(like.ok());
      EXPECT_EQ(Resize(in, shape, {.filter = GetParam()}, false, like.value().get()), expected);
    }
  }
}

TEST_P(ResizeTest, AFlatImageStaysFlat) {
  const Shape shape{901, 700, 9, 7};
  for (const uint8_t value : {0, 1, 128, 255}) {
    const std::vector<uint8_t> in(size_t{901} * 700, value);
    const auto out = Resize(in, shape, {.filter = GetParam()});
    EXPECT_EQ(out, std::vector<uint8_t>(63, value));
  }
}

TEST_P(ResizeTest, ACenteredRampKeepsItsPhase) {
  if (GetParam() == Filter::kNearest) GTEST_SKIP() << "nearest shifts by up to half a sample";
  // Away from the edges every symmetric filter keeps a ramp a ramp: its value tells the position.
  const Shape shape{240, 8, 80, 8};
  Samples ramp;
  for (size_t i = 0; i < 240 * 8; ++i) ramp.push_back(static_cast<double>(i % 240) / 239);
  const Samples out =
      Loaded(Resize(Stored(ramp, 16), shape, {.filter = GetParam(), .bits = 16}), 16);
  for (size_t x = 10; x < 70; ++x) {
    const double position = (static_cast<double>(x) + 0.5) * 3 - 0.5;
    EXPECT_NEAR(out[4 * 80 + x] * 239, position, 0.02) << x;
  }
}

std::string FilterName(const testing::TestParamInfo<Filter>& filter) {
  constexpr const char* kNames[] = {"Nearest", "Box",      "Bilinear", "Hamming",
                                    "Bicubic", "Mitchell", "Lanczos"};
  return kNames[static_cast<size_t>(filter.param)];
}

INSTANTIATE_TEST_SUITE_P(AllFilters, ResizeTest,
                         testing::Values(Filter::kNearest, Filter::kBox, Filter::kBilinear,
                                         Filter::kHamming, Filter::kBicubic, Filter::kMitchell,
                                         Filter::kLanczos),
                         FilterName);

}  // namespace
}  // namespace pixpress
