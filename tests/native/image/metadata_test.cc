#include "image/metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "image/exif.h"
#include "image/tiff_builder.h"

namespace pixpress {
namespace {

Metadata Everything(bool is_big_endian = false) {
  Metadata metadata;
  metadata.icc = {1, 2, 3};
  metadata.exif = CameraExif(is_big_endian);
  metadata.xmp = {'S', 'E', 'C', 'R', 'E', 'T'};
  metadata.iptc = {'S', 'E', 'C', 'R', 'E', 'T'};
  metadata.comments = {"SECRET"};
  metadata.orientation = 6;
  metadata.density = Density{300, 300, Density::Unit::kPerInch};
  metadata.png_color.gamma = 45455;
  metadata.png_color.cicp = {9, 16, 0, 1};
  return metadata;
}

bool HasSecret(const Metadata& metadata) {
  const std::string exif(metadata.exif.begin(), metadata.exif.end());
  return exif.find("SECRET") != std::string::npos || !metadata.xmp.empty() ||
         !metadata.iptc.empty() || !metadata.comments.empty();
}

TEST(MetadataTest, SizeCountsEveryBlock) {
  Metadata metadata = Everything();
  EXPECT_EQ(metadata.size_bytes(), 3 + metadata.exif.size() + 6 + 6 + 6);
  EXPECT_EQ(Metadata().size_bytes(), 0u);
}

TEST(MetadataTest, SafeDropsGpsThumbnailMakerNoteXmpIptcAndComments) {
  for (const bool is_big_endian : {false, true}) {
    ASSERT_TRUE(HasSecret(Everything(is_big_endian)));
    EXPECT_FALSE(HasSecret(ApplyPolicy(Everything(is_big_endian), MetadataPolicy::kSafe, false)));
  }
}

TEST(MetadataTest, SafeKeepsColorOrientationDensityCopyrightAndArtist) {
  const Metadata kept = ApplyPolicy(Everything(), MetadataPolicy::kSafe, false);
  EXPECT_EQ(kept.icc, Everything().icc);
  EXPECT_EQ(kept.png_color, Everything().png_color);
  EXPECT_EQ(kept.orientation, 6);
  EXPECT_EQ(kept.density, Everything().density);
  const ExifSummary exif = ParseExif(kept.exif);
  EXPECT_EQ(exif.orientation, 6);
  EXPECT_EQ(exif.artist, "Ada Artist");
  EXPECT_EQ(exif.copyright, "(c) Company");
  EXPECT_EQ(exif.density, Everything().density);
}

TEST(MetadataTest, NoneKeepsOnlyWhatThePixelsNeed) {
  const Metadata kept = ApplyPolicy(Everything(), MetadataPolicy::kNone, false);
  EXPECT_FALSE(HasSecret(kept));
  EXPECT_EQ(kept.icc, Everything().icc);
  EXPECT_EQ(kept.png_color, Everything().png_color);
  EXPECT_FALSE(kept.density.has_value());
  const ExifSummary exif = ParseExif(kept.exif);
  EXPECT_EQ(exif.orientation, 6);
  EXPECT_EQ(exif.artist + exif.copyright, "");
  EXPECT_FALSE(exif.density.has_value());
}

TEST(MetadataTest, AllKeepsEveryByte) {
  const Metadata kept = ApplyPolicy(Everything(), MetadataPolicy::kAll, false);
  EXPECT_EQ(kept.exif, Everything().exif);
  EXPECT_EQ(kept.xmp, Everything().xmp);
  EXPECT_EQ(kept.iptc, Everything().iptc);
  EXPECT_EQ(kept.comments, Everything().comments);
  EXPECT_EQ(kept.size_bytes(), Everything().size_bytes());
}

TEST(MetadataTest, TurnedPixelsAreUprightUnderEveryPolicy) {
  for (const auto policy : {MetadataPolicy::kNone, MetadataPolicy::kSafe, MetadataPolicy::kAll}) {
    for (const bool is_big_endian : {false, true}) {
      const Metadata kept = ApplyPolicy(Everything(is_big_endian), policy, true);
      EXPECT_EQ(kept.orientation, 1);
      EXPECT_EQ(ParseExif(kept.exif).orientation, 1);
    }
  }
}

TEST(MetadataTest, TurnedPixelsWithNothingElseToSayHaveNoExif) {
  EXPECT_TRUE(ApplyPolicy(Everything(), MetadataPolicy::kNone, true).exif.empty());
}

TEST(MetadataTest, SafeOnDamagedExifKeepsNoneOfItsBytes) {
  Metadata metadata = Everything();
  metadata.exif.assign(5000, 'S');
  EXPECT_EQ(ApplyPolicy(metadata, MetadataPolicy::kSafe, true).exif.size(), 0u);
}

}  // namespace
}  // namespace pixpress
