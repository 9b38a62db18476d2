#include "codecs/jpeg/decode.h"

#include <algorithm>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/markers.h"

namespace pixpress {
namespace {

using JpegDecodeTest = JpegTest;

// The position of the first marker of this kind.
size_t Find(Bytes jpeg, uint8_t marker) {
  JpegWalker walker(jpeg);
  JpegSegment segment;
  while (walker.Next(&segment)) {
    if (segment.marker == marker) return segment.begin;
  }
  ADD_FAILURE() << "no marker " << int{marker};
  return 0;
}

std::vector<JpegRecipe> EveryCoding(JpegRecipe recipe) {
  std::vector<JpegRecipe> recipes(4, recipe);
  recipes[1].is_progressive = true;
  recipes[2].is_arithmetic = true;
  recipes[3].restart_interval = 3;
  return recipes;
}

TEST_F(JpegDecodeTest, EverySamplingDecodesAsLibjpegDecodesIt) {
  const Sampling luma[] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {1, 4}, {4, 2}};
  for (const Sampling& sampling : luma) {
    for (const JpegRecipe& recipe : EveryCoding({.sampling = {sampling}})) {
      SCOPED_TRACE(testing::Message() << sampling.h << "x" << sampling.v);
      ExpectDecodesAsPlain(MakeJpeg(recipe));
    }
  }
}

TEST_F(JpegDecodeTest, ChromaFinerThanLumaOrUnequalDecodesAsLibjpegDecodesIt) {
  ExpectDecodesAsPlain(MakeJpeg({.sampling = {Sampling{1, 1}, {2, 2}, {1, 1}}}));
  ExpectDecodesAsPlain(MakeJpeg({.sampling = {Sampling{2, 2}, {1, 2}, {1, 2}}}));
  ExpectDecodesAsPlain(MakeJpeg({.sampling = {Sampling{4, 1}, {2, 1}, {2, 1}}}));
}

TEST_F(JpegDecodeTest, GrayDecodesAsLibjpegDecodesItWhateverItsSamplingFactor) {
  for (const Sampling& sampling : {Sampling{1, 1}, Sampling{2, 2}}) {
    for (const JpegRecipe& recipe :
         EveryCoding({.stored = JCS_GRAYSCALE, .sampling = {sampling}})) {
      ExpectDecodesAsPlain(MakeJpeg(recipe));
    }
  }
}

TEST_F(JpegDecodeTest, TinyAndThinImagesDecode) {
  const std::pair<uint32_t, uint32_t> sizes[] = {{1, 1},  {1, 300}, {300, 1},
                                                 {7, 13}, {8, 8},   {17, 16}};
  for (const auto& [width, height] : sizes) {
    ExpectDecodesAsPlain(
        MakeJpeg({.width = width, .height = height, .sampling = {Sampling{2, 2}}}));
  }
}

TEST_F(JpegDecodeTest, RgbStoredAsSuchIsNotTakenForYcbcr) {
  const auto jpeg = MakeJpeg({.stored = JCS_RGB});
  const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
  EXPECT_EQ(info.color, ColorModel::kRgb);
  EXPECT_EQ(info.planar.plane_count, 0);
  ExpectDecodesAsPlain(jpeg);
}

TEST_F(JpegDecodeTest, ASegmentThatOnlyBeginsLikeJfifSaysNothingOfColor) {
  const std::vector<uint8_t> almost = {'J', 'F', 'I', 'F', '!', 1, 1, 0, 0, 1, 0, 1, 0, 0};
  const auto jpeg = WithSegment(MakeJpeg({.stored = JCS_RGB}), kJpegApp0, almost);
  EXPECT_EQ(kJpegCodec.probe(jpeg, jpeg.size(), limits_).value().planar.plane_count, 0);
  ExpectDecodesAsPlain(jpeg);
}

TEST_F(JpegDecodeTest, CmykAndYcckDecodeToInkWithZeroForNone) {
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    for (const JpegRecipe& recipe : EveryCoding({.stored = stored})) {
      const auto jpeg = MakeJpeg(recipe);
      EXPECT_EQ(kJpegCodec.probe(jpeg, jpeg.size(), limits_).value().color, ColorModel::kCmyk);
      ExpectDecodesAsPlain(jpeg);
    }
  }
}

TEST_F(JpegDecodeTest, OnlyCmykWithAdobesMarkerIsInverted) {
  const auto adobe = MakeJpeg({.stored = JCS_CMYK});
  auto plain = adobe;
  plain[Find(plain, kJpegApp14) + 4] = 'X';
  const auto inverted = Flat(Decode(adobe).value())[0], upright = Flat(Decode(plain).value())[0];
  ASSERT_EQ(inverted.size(), upright.size());
  EXPECT_TRUE(std::equal(inverted.begin(), inverted.end(), upright.begin(),
                         [](uint8_t a, uint8_t b) { return a == 255 - b; }));
}

TEST_F(JpegDecodeTest, LosslessTwelveBitAndHierarchicalImagesAreUnsupported) {
  auto jpeg = MakeJpeg({});
  const size_t sof = Find(jpeg, 0xC0);
  for (const uint8_t marker : {0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}) {
    jpeg[sof + 1] = marker;
    EXPECT_EQ(Decode(jpeg).status().code(), StatusCode::kUnsupportedFormat) << int{marker};
  }
  jpeg[sof + 1] = 0xC1;
  jpeg[sof + 4] = 12;
  EXPECT_EQ(Decode(jpeg).status().code(), StatusCode::kUnsupportedFormat);
}

TEST_F(JpegDecodeTest, EveryTruncationIsCorruptEvenOfTheEndMarkerAlone) {
  for (const JpegRecipe& recipe : EveryCoding({.width = 40, .height = 40})) {
    const auto whole = MakeJpeg(recipe);
    for (const bool is_planar : {false, true}) {
      for (size_t size = 3; size < whole.size(); ++size) {
        const std::vector<uint8_t> cut(whole.begin(), whole.begin() + size);
        const Status status = Decode(cut, {.planar = is_planar}).status();
        ASSERT_EQ(status.code(), StatusCode::kCorruptImage) << size << " of " << whole.size();
      }
    }
  }
}

TEST_F(JpegDecodeTest, AMissingEndMarkerIsCorruptHoweverTheLastBitsFall) {
  for (uint32_t side = 1; side < 200; ++side) {
    const auto whole = MakeJpeg({.width = side, .height = 24, .stored = JCS_GRAYSCALE});
    for (const bool is_planar : {false, true}) {
      const auto cut = Bytes(whole).first(whole.size() - 2);
      ASSERT_EQ(Decode(cut, {.planar = is_planar}).status().code(), StatusCode::kCorruptImage)
          << side;
    }
  }
}

TEST_F(JpegDecodeTest, MissingLastRowsAreCorruptThoughTheEndMarkerIsThere) {
  for (const bool is_progressive : {false, true}) {
    const auto whole = MakeJpeg({.width = 40, .height = 400, .is_progressive = is_progressive});
    std::vector<uint8_t> cut(whole.begin(), whole.end() - 40);
    cut.insert(cut.end(), {0xFF, kJpegEoi});
    EXPECT_EQ(Decode(cut).status().code(), StatusCode::kCorruptImage);
  }
}

TEST_F(JpegDecodeTest, ALostRestartMarkerIsCorrupt) {
  auto jpeg = MakeJpeg({.restart_interval = 2});
  const uint8_t third[] = {0xFF, 0xD2};
  const auto found = std::search(jpeg.begin(), jpeg.end(), std::begin(third), std::end(third));
  ASSERT_NE(found, jpeg.end());
  jpeg.erase(found, found + 2);
  EXPECT_EQ(Decode(jpeg).status().code(), StatusCode::kCorruptImage);
}

TEST_F(JpegDecodeTest, GarbageBetweenSegmentsAndFillBytesAreSkipped) {
  const auto jpeg = MakeJpeg({});
  const auto expected = Flat(Decode(jpeg).value());
  for (const uint8_t marker : {0xDB, 0xC0, 0xC4, 0xDA}) {
    const size_t at = Find(jpeg, marker);
    for (const std::vector<uint8_t>& extra :
         {std::vector<uint8_t>{0xFF, 0xFF, 0xFF}, {1, 2, 3, 0xFF, 0x00, 9}}) {
      auto odd = jpeg;
      odd.insert(odd.begin() + at, extra.begin(), extra.end());
      const Result<Image> image = Decode(odd);
      ASSERT_TRUE(image.ok()) << image.status().message();
      EXPECT_EQ(Flat(image.value()), expected);
    }
  }
}

TEST_F(JpegDecodeTest, BytesAfterTheEndMarkerAreNotLookedAt) {
  auto jpeg = MakeJpeg({});
  const auto expected = Flat(Decode(jpeg).value());
  // The tail is the head of a bomb of scans.
  const auto tail = MakeJpeg({.is_progressive = true});
  jpeg.insert(jpeg.end(), tail.begin(), tail.end() - 9);
  limits_.max_scans = 1;
  const Result<Image> image = Decode(jpeg);
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(Flat(image.value()), expected);
}

TEST_F(JpegDecodeTest, ADifferentImageThanTheProbedOneIsRefused) {
  const auto probed = MakeJpeg({.width = 8, .height = 8}), now = MakeJpeg({});
  const ImageInfo info = kJpegCodec.probe(probed, probed.size(), limits_).value();
  EXPECT_EQ(kJpegCodec.decode(now, info, {}, limits_, context_).status().code(),
            StatusCode::kCorruptImage);
}

TEST_F(JpegDecodeTest, TheHeaderIsProbedFromItsFirstBytesOn) {
  const auto jpeg = MakeJpeg({});
  const size_t sos = Find(jpeg, kJpegSos);
  for (size_t size = 2; size < sos; ++size) {
    const auto info = kJpegCodec.probe(Bytes(jpeg).first(size), jpeg.size(), limits_);
    ASSERT_TRUE(info.ok()) << size;
    EXPECT_TRUE(info.value().needs_more_input) << size;
  }
  EXPECT_EQ(kJpegCodec.probe(Bytes(jpeg).first(sos + 14), jpeg.size(), limits_).value().width, 97u);
}

TEST_F(JpegDecodeTest, SidesBeyondTheLimitAreRefusedBeforeAnythingIsAllocated) {
  auto jpeg = MakeJpeg({});
  const size_t sof = Find(jpeg, 0xC0);
  std::fill_n(jpeg.begin() + sof + 5, 4, uint8_t{0xFF});
  EXPECT_EQ(Decode(jpeg).status().code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(meter_.peak_bytes(), 0u);
}

}  // namespace
}  // namespace pixpress
