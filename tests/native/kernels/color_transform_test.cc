#include "kernels/color_transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "kernels/color_memory.h"
#include "kernels/color_profiles.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

constexpr size_t kPixels = 4096;

ImageLayout Layout(ColorModel color, bool has_alpha = false, uint8_t bits = 8) {
  return ImageLayout::Interleaved(kPixels, 1, color, has_alpha, bits);
}

std::vector<uint8_t> RandomBytes(size_t size, uint32_t seed = 7) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

class ColorTransformTest : public testing::Test {
 protected:
  std::vector<uint8_t> Convert(const ColorTransform& transform, const std::vector<uint8_t>& in,
                               size_t out_bytes_per_pixel) {
    std::vector<uint8_t> out(kPixels * out_bytes_per_pixel);
    transform.ConvertRow(in.data(), kPixels, out.data());
    return out;
  }
  std::unique_ptr<ColorTransform> Must(const std::vector<uint8_t>& icc, const ImageLayout& in) {
    auto made = ColorTransform::FromProfile(icc, in, meter_);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }
  StatusCode CodeOf(const std::vector<uint8_t>& icc, ColorModel color) {
    return ColorTransform::FromProfile(icc, Layout(color), meter_).status().code();
  }

  BufferPool pool_{0};
  Meter meter_{pool_};
};

TEST_F(ColorTransformTest, CmykAndRgbAreWhatTheLibraryMakesOfThem) {
  const auto cmyk = RandomBytes(kPixels * 4);
  const auto icc = CmykProfile();
  EXPECT_EQ(Convert(*Must(icc, Layout(ColorModel::kCmyk)), cmyk, 3),
            PlainConvert(icc, cmyk, TYPE_CMYK_8, TYPE_RGB_8, 3, kPixels));
  const auto rgb = RandomBytes(kPixels * 3);
  EXPECT_EQ(Convert(*Must(WideProfile(), Layout(ColorModel::kRgb)), rgb, 3),
            PlainConvert(WideProfile(), rgb, TYPE_RGB_8, TYPE_RGB_8, 3, kPixels));
  const auto deep = RandomBytes(kPixels * 6);
  EXPECT_EQ(Convert(*Must(WideProfile(), Layout(ColorModel::kRgb, false, 16)), deep, 6),
            PlainConvert(WideProfile(), deep, TYPE_RGB_16, TYPE_RGB_16, 6, kPixels));
}

TEST_F(ColorTransformTest, GrayKeepsOneChannelAndTakesTheCurveOfSrgb) {
  std::vector<uint8_t> gray(kPixels);
  for (size_t i = 0; i < kPixels; ++i) gray[i] = static_cast<uint8_t>(i);
  const auto out = Convert(*Must(GrayProfile(1.0), Layout(ColorModel::kGray)), gray, 1);
  const auto rgb = PlainConvert(GrayProfile(1.0), gray, TYPE_GRAY_8, TYPE_RGB_8, 3, kPixels);
  for (size_t i = 0; i < 256; ++i) EXPECT_NEAR(out[i], rgb[3 * i + 1], 1) << i;
  EXPECT_NEAR(out[55], 128, 2);  // Linear 0.2159 is 0.5.
}

TEST_F(ColorTransformTest, AlphaPassesUnchanged) {
  for (const uint8_t bits : {uint8_t{8}, uint8_t{16}}) {
    const size_t sample = bits / 8;
    const auto in = RandomBytes(kPixels * 4 * sample);
    const auto made = Must(WideProfile(), Layout(ColorModel::kRgb, true, bits));
    const auto out = Convert(*made, in, 4 * sample);
    EXPECT_NE(out, in);
    for (size_t i = 0; i < kPixels; ++i) {
      const size_t alpha = (4 * i + 3) * sample;
      ASSERT_TRUE(std::equal(&in[alpha], &in[alpha] + sample, &out[alpha]));
    }
  }
}

TEST_F(ColorTransformTest, OnlyProfilesOfOtherColorsChangePixels) {
  EXPECT_TRUE(Must(SrgbProfile(), Layout(ColorModel::kRgb))->is_nearly_identity());
  EXPECT_TRUE(Must(SrgbProfile(), Layout(ColorModel::kRgb, true, 16))->is_nearly_identity());
  EXPECT_FALSE(Must(WideProfile(), Layout(ColorModel::kRgb))->is_nearly_identity());
  EXPECT_FALSE(Must(GrayProfile(1.8), Layout(ColorModel::kGray))->is_nearly_identity());
}

TEST_F(ColorTransformTest, ProfilesOfOtherModelsAndOfTooManyBytesAreRefused) {
  EXPECT_EQ(CodeOf(WideProfile(), ColorModel::kGray), StatusCode::kCorruptImage);
  EXPECT_EQ(CodeOf(WideProfile(), ColorModel::kCmyk), StatusCode::kCorruptImage);
  EXPECT_EQ(CodeOf({}, ColorModel::kRgb), StatusCode::kCorruptImage);
  EXPECT_EQ(CodeOf(std::vector<uint8_t>(200), ColorModel::kRgb), StatusCode::kCorruptImage);
  auto large = WideProfile();
  large.resize(kMaxProfileBytes + 1);
  EXPECT_EQ(CodeOf(large, ColorModel::kRgb), StatusCode::kUnsupportedFormat);
}

TEST_F(ColorTransformTest, DamagedProfilesNeverDoMoreThanFail) {
  std::mt19937 random(11);
  size_t failed = 0;
  for (const auto& [icc, color] :
       {std::pair(CmykProfile(3), ColorModel::kCmyk), std::pair(WideProfile(), ColorModel::kRgb),
        std::pair(GrayProfile(2.0), ColorModel::kGray)}) {
    const std::vector<uint8_t> pixels(64 * 4, 100);
    for (int round = 0; round < 400; ++round) {
      auto damaged = icc;
      for (int i = 0; i < 4; ++i) {  // Most of them in the header and the table of tags.
        damaged[random() % (i == 0 ? icc.size() : std::min<size_t>(icc.size(), 400))] =
            static_cast<uint8_t>(random());
      }
      if (round % 5 == 0) damaged.resize(random() % icc.size());
      auto made = ColorTransform::FromProfile(damaged, Layout(color), meter_);
      failed += !made.ok();
      std::vector<uint8_t> out(64 * 4);
      if (made.ok()) made.value()->ConvertRow(pixels.data(), 64, out.data());
    }
  }
  EXPECT_GT(failed, 200u);
  EXPECT_EQ(meter_.current_bytes(), 0u);
}

TEST_F(ColorTransformTest, WhatTheLibraryHoldsIsChargedAndGivenBack) {
  {
    const auto made = Must(CmykProfile(17), Layout(ColorModel::kCmyk));
    EXPECT_GT(meter_.current_bytes(), 100'000u);
    EXPECT_LE(meter_.peak_bytes(), kColorTransformBytes);
  }
  EXPECT_EQ(meter_.current_bytes(), 0u);
}

TEST_F(ColorTransformTest, EveryRefusedLargeAllocationIsAFailureWithoutLoss) {
  const auto icc = CmykProfile(5);
  size_t made = 0, refused = 0;
  for (size_t most = 0; most < (3u << 20); most += 20'000) {
    ColorMemory memory(meter_, most);
    if (memory.lcms() == nullptr) continue;
    const cmsHPROFILE from = cmsOpenProfileFromMemTHR(memory.lcms(), icc.data(), icc.size());
    const cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(memory.lcms());
    cmsHTRANSFORM transform = nullptr;
    if (from != nullptr && srgb != nullptr) {
      transform = cmsCreateTransformTHR(memory.lcms(), from, TYPE_CMYK_8, srgb, TYPE_RGB_8,
                                        INTENT_PERCEPTUAL, 0);
    }
    made += transform != nullptr;
    refused += memory.was_refused();
    if (transform != nullptr) cmsDeleteTransform(transform);
    if (srgb != nullptr) cmsCloseProfile(srgb);
    if (from != nullptr) cmsCloseProfile(from);
  }
  EXPECT_GT(made, 0u);
  EXPECT_GT(refused, 10u);
  EXPECT_EQ(meter_.current_bytes(), 0u);
}

TEST_F(ColorTransformTest, ThreadsMayShareOneTransform) {
  const auto transform = Must(CmykProfile(), Layout(ColorModel::kCmyk));
  const auto in = RandomBytes(kPixels * 4);
  const auto expected = Convert(*transform, in, 3);
  std::array<std::vector<uint8_t>, 4> made;
  std::vector<std::thread> threads;
  for (auto& out : made) {
    threads.emplace_back([&] {
      for (int i = 0; i < 8; ++i) out = Convert(*transform, in, 3);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& out : made) EXPECT_EQ(out, expected);
}

PngColor Chunks(std::optional<uint32_t> gamma) {
  PngColor color;
  color.gamma = gamma;
  return color;
}

TEST_F(ColorTransformTest, PngChunksCountWhereTheyDifferVisibly) {
  constexpr std::array<uint32_t, 8> kSrgb = {31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000};
  PngColor color;
  EXPECT_FALSE(DiffersFromSrgb(color));
  EXPECT_FALSE(DiffersFromSrgb(Chunks(45455)));
  EXPECT_TRUE(DiffersFromSrgb(Chunks(100000)));
  EXPECT_FALSE(DiffersFromSrgb(Chunks(0)));  // Nonsense says nothing.
  color.chroma = kSrgb;
  EXPECT_FALSE(DiffersFromSrgb(color));
  (*color.chroma)[2] = 68000;
  EXPECT_TRUE(DiffersFromSrgb(color));
  color.srgb_intent = 0;
  EXPECT_FALSE(DiffersFromSrgb(color));
  color.cicp = {12, 13, 0, 1};  // Display P3, and it wins.
  EXPECT_TRUE(DiffersFromSrgb(color));
  color.cicp = {1, 13, 0, 1};
  EXPECT_FALSE(DiffersFromSrgb(color));
  color.cicp = {9, 16, 0, 1};  // HDR10
  EXPECT_FALSE(DiffersFromSrgb(color));
}

TEST_F(ColorTransformTest, LinearPngSamplesTakeTheCurveOfSrgb) {
  for (const ColorModel model : {ColorModel::kGray, ColorModel::kRgb}) {
    const size_t channels = model == ColorModel::kGray ? 1 : 3;
    auto made = ColorTransform::FromPngColor(Chunks(100000), Layout(model), meter_);
    ASSERT_TRUE(made.ok());
    const auto out = Convert(*made.value(), std::vector<uint8_t>(kPixels * channels, 55), channels);
    for (const uint8_t sample : out) ASSERT_NEAR(sample, 128, 2);
  }
}

}  // namespace
}  // namespace pixpress
