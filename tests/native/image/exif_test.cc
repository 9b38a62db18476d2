#include "image/exif.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "image/tiff_builder.h"

namespace pixpress {
namespace {

using Bytes = std::vector<uint8_t>;

// Exactly sized on the heap, so that AddressSanitizer sees a read past either end.
ExifSummary Parse(const Bytes& tiff) { return ParseExif(Bytes(tiff)); }

class ExifTest : public testing::TestWithParam<bool> {
 protected:
  static bool is_big() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(ByteOrders, ExifTest, testing::Bool(), [](const auto& info) {
  return info.param ? "BigEndian" : "LittleEndian";
});

TEST_P(ExifTest, WhatACameraWritesIsUnderstood) {
  const ExifSummary summary = Parse(CameraExif(is_big()));
  EXPECT_EQ(summary.orientation, 6);
  EXPECT_EQ(summary.artist, "Ada Artist");
  EXPECT_EQ(summary.copyright, "(c) Company");
  EXPECT_EQ(summary.density, (Density{300, 300, Density::Unit::kPerInch}));
}

TEST_P(ExifTest, EveryTruncationOfACamerasBlockIsSafe) {
  const Bytes whole = CameraExif(is_big());
  for (size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + size);
    const ExifSummary summary = Parse(cut);
    EXPECT_TRUE(summary.orientation == 1 || summary.orientation == 6) << size;
    EXPECT_TRUE(summary.artist.empty() || summary.artist == "Ada Artist") << size;
    SetExifOrientation(cut, 3);
    EXPECT_EQ(cut.size(), size);
  }
}

TEST_P(ExifTest, EverySingleByteOfACamerasBlockMayBeAnything) {
  const Bytes whole = CameraExif(is_big());
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const uint8_t value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      Bytes damaged = whole;
      damaged[at] = value;
      const ExifSummary summary = Parse(damaged);
      EXPECT_TRUE(summary.orientation >= 1 && summary.orientation <= 8) << at;
      SetExifOrientation(damaged, 1);
      EXPECT_EQ(damaged.size(), whole.size());
    }
  }
}

TEST_P(ExifTest, AnIfdOutsideOfTheBlockIsAbsent) {
  for (const uint32_t offset : {14u, 1000u, 0x7FFFFFFFu, 0xFFFFFFF8u, 0xFFFFFFFFu}) {
    TiffBuilder tiff(is_big(), offset);
    tiff.U16(1).U32(0);
    EXPECT_EQ(Parse(tiff.Take()).orientation, 1) << offset;
  }
}

TEST_P(ExifTest, AnIfdThatLiesOnTheHeaderEnds) {
  // The "IFD" at 0 begins with the byte order mark as its count of 0x4949 or 0x4D4D entries.
  const ExifSummary summary = Parse(TiffBuilder(is_big(), 0).ShortEntry(0x0112, 6).Take());
  EXPECT_EQ(summary.artist, "");
}

TEST_P(ExifTest, IfdsThatPointAtThemselvesEnd) {
  TiffBuilder tiff(is_big());
  // The EXIF and GPS pointers and the next IFD are all IFD0 itself.
  tiff.U16(3).ShortEntry(0x0112, 8).Entry(0x8769, kLong, 1, 8).Entry(0x8825, kLong, 1, 8).U32(8);
  EXPECT_EQ(Parse(tiff.Take()).orientation, 8);
}

TEST_P(ExifTest, ACountOfEntriesBeyondTheBlockEndsWithTheBlock) {
  TiffBuilder tiff(is_big());
  tiff.U16(0xFFFF).ShortEntry(0x0112, 6);
  EXPECT_EQ(Parse(tiff.Take()).orientation, 6);
}

TEST_P(ExifTest, TextsAtWildOffsetsOrOfWildLengthsAreAbsent) {
  const std::pair<uint32_t, uint32_t> places[] = {
      {20, 0xFFFFFFFF}, {20, 0xFFFFFFF0}, {0xFFFFFFFF, 26}, {0x80000000, 8}, {5, 24}, {20, 1000}};
  for (const auto& [count, offset] : places) {
    TiffBuilder tiff(is_big());
    tiff.U16(1).Entry(0x8298, kAscii, count, offset).U32(0);
    EXPECT_EQ(Parse(tiff.Take()).copyright, "") << count << " at " << offset;
  }
}

TEST_P(ExifTest, ShortTextsLieInTheEntry) {
  TiffBuilder tiff(is_big());
  tiff.U16(1).U16(0x013B).U16(kAscii).U32(4).Raw("Bob\0", 4).U32(0);
  EXPECT_EQ(Parse(tiff.Take()).artist, "Bob");
}

TEST_P(ExifTest, TextWithoutTerminatorAndTextOfAnotherTypeEndWhereTheyEnd) {
  TiffBuilder tiff(is_big());
  tiff.U16(2).U16(0x013B).U16(kAscii).U32(4).Raw("Bobs", 4);
  tiff.Entry(0x8298, kUndefined, 4, 0x41424344).U32(0);
  const ExifSummary summary = Parse(tiff.Take());
  EXPECT_EQ(summary.artist, "Bobs");
  EXPECT_EQ(summary.copyright, "");
}

TEST_P(ExifTest, TextIsBounded) {
  TiffBuilder tiff(is_big());
  tiff.U16(1).Entry(0x8298, kAscii, 1'000'000, 26).U32(0);
  const std::string text(1'000'000, 'c');
  EXPECT_EQ(Parse(tiff.Raw(text.data(), text.size()).Take()).copyright, std::string(4096, 'c'));
}

TEST_P(ExifTest, OrientationsOutsideOneToEightAreAbsent) {
  for (const uint16_t value : {0, 9, 256, 0x0600, 0xFFFF}) {
    EXPECT_EQ(
        Parse(TiffBuilder(is_big()).U16(1).ShortEntry(0x0112, value).U32(0).Take()).orientation, 1)
        << value;
  }
}

TEST_P(ExifTest, AnOrientationOfFourBytesIsReadAndRewrittenInItsOwnType) {
  Bytes tiff = TiffBuilder(is_big()).U16(1).Entry(0x0112, kLong, 1, 6).U32(0).Take();
  EXPECT_EQ(Parse(tiff).orientation, 6);
  SetExifOrientation(tiff, 3);
  EXPECT_EQ(tiff, TiffBuilder(is_big()).U16(1).Entry(0x0112, kLong, 1, 3).U32(0).Take());
}

TEST_P(ExifTest, AnOrientationThatIsNoNumberIsAbsentAndLeftAlone) {
  const Bytes tiff = TiffBuilder(is_big()).U16(1).Entry(0x0112, kRational, 1, 6).U32(0).Take();
  EXPECT_EQ(Parse(tiff).orientation, 1);
  Bytes same = tiff;
  SetExifOrientation(same, 3);
  EXPECT_EQ(same, tiff);
}

TEST_P(ExifTest, ADensityOfZeroOrDividedByZeroIsAbsent) {
  for (const auto& [numerator, denominator] : {std::pair{0u, 1u}, {300u, 0u}, {1u, 300u}}) {
    TiffBuilder tiff(is_big());
    tiff.U16(2).Entry(0x011A, kRational, 1, 38).Entry(0x011B, kRational, 1, 38).U32(0);
    EXPECT_FALSE(Parse(tiff.U32(numerator).U32(denominator).Take()).density.has_value());
  }
}

TEST_P(ExifTest, DensityPerCentimeterIsUnderstood) {
  TiffBuilder tiff(is_big());
  tiff.U16(3).Entry(0x011A, kRational, 1, 50).Entry(0x011B, kRational, 1, 50);
  tiff.ShortEntry(0x0128, 3).U32(0).U32(118).U32(1);
  EXPECT_EQ(Parse(tiff.Take()).density, (Density{118, 118, Density::Unit::kPerCm}));
}

TEST_P(ExifTest, RewritingTheOrientationChangesItsTwoBytesOnly) {
  const Bytes before = CameraExif(is_big());
  Bytes after = before;
  SetExifOrientation(after, 3);
  EXPECT_EQ(Parse(after).orientation, 3);
  ASSERT_EQ(after.size(), before.size());
  size_t changed = 0;
  for (size_t i = 0; i < after.size(); ++i) changed += after[i] != before[i];
  EXPECT_EQ(changed, 1u);
}

TEST(ExifBuilderTest, WhatIsBuiltIsReadBack) {
  ExifSummary summary;
  summary.orientation = 8;
  summary.artist = "A";
  summary.copyright =
      "\xC3\x84"
      "rger & Co";
  summary.density = Density{72, 96, Density::Unit::kPerCm};
  const ExifSummary back = Parse(BuildExif(summary));
  EXPECT_EQ(back.orientation, 8);
  EXPECT_EQ(back.artist, summary.artist);
  EXPECT_EQ(back.copyright, summary.copyright);
  EXPECT_EQ(back.density, summary.density);
}

TEST(ExifBuilderTest, NothingToSayIsNoBlockAtAll) { EXPECT_TRUE(BuildExif({}).empty()); }

TEST(ExifBuilderTest, DensityThatExifCannotSayIsConvertedOrLeftOut) {
  ExifSummary summary;
  summary.density = Density{11811, 11811, Density::Unit::kPerMeter};
  EXPECT_EQ(Parse(BuildExif(summary)).density, (Density{118, 118, Density::Unit::kPerCm}));
  summary.density = Density{4, 3, Density::Unit::kAspect};
  EXPECT_TRUE(BuildExif(summary).empty());
}

TEST(ExifBlockTest, BlocksThatAreNoTiffAreAbsent) {
  for (const char* text : {"", "II", "II*", "Exif\0\0", "II+\0\0\0\0\0\0\0", "MI\0*\0\0\0\0"}) {
    Bytes block(text, text + std::string_view(text).size());
    EXPECT_EQ(Parse(block).orientation, 1);
    SetExifOrientation(block, 6);
    EXPECT_EQ(Parse(block).orientation, 1);
  }
}

}  // namespace
}  // namespace pixpress
