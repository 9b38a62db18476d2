#include "codecs/jpeg/metadata.h"

#include <algorithm>
#include <string>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/markers.h"
#include "image/exif.h"
#include "image/tiff_builder.h"

namespace pixpress {
namespace {

class JpegMetadataTest : public JpegTest {
 protected:
  // A part of an ICC profile as an APP2 segment behind the other segments at the front.
  static std::vector<uint8_t> WithIcc(Bytes jpeg, uint8_t number, uint8_t count, char content) {
    std::string payload("ICC_PROFILE\0", 12);
    payload += {static_cast<char>(number), static_cast<char>(count)};
    payload += std::string(100, content);
    return WithSegment(jpeg, kJpegApp2, AsBytes(payload));
  }
  static Bytes AsBytes(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  }
  static std::string Text(Bytes bytes) { return std::string(bytes.begin(), bytes.end()); }
  Metadata Read(Bytes jpeg) { return kJpegCodec.read_metadata(jpeg, limits_).value(); }

  // A file with everything a camera and an editor leave behind; what is private says "SECRET".
  static std::vector<uint8_t> CameraFile(const JpegRecipe& recipe) {
    const auto exif = CameraExif(true);
    auto jpeg = MakeJpeg(recipe);
    jpeg = WithSegment(jpeg, kJpegComment, AsBytes("SECRET"));
    jpeg = WithSegment(jpeg, kJpegApp13, AsBytes(std::string("Photoshop 3.0\0SECRET", 20)));
    jpeg = WithSegment(jpeg, 0xE7, AsBytes("SECRET"));
    jpeg = WithIcc(jpeg, 1, 1, 'i');
    jpeg = WithSegment(jpeg, kJpegApp2, AsBytes(std::string("MPF\0SECRET", 10)));
    jpeg = WithSegment(jpeg, kJpegApp1,
                       AsBytes(std::string("http://ns.adobe.com/xap/1.0/\0SECRET", 35)));
    jpeg = WithSegment(jpeg, kJpegApp1, AsBytes(std::string("Exif\0\0", 6) + Text(exif)));
    const std::string tail = "SECRET";
    jpeg.insert(jpeg.end(), tail.begin(), tail.end());
    return jpeg;
  }
};

TEST_F(JpegMetadataTest, IccPartsAreJoinedByTheirNumbersInAnyOrder) {
  auto jpeg = MakeJpeg({});
  for (const int number : {2, 3, 1}) jpeg = WithIcc(jpeg, number, 3, "?abc"[number]);
  EXPECT_EQ(Text(Read(jpeg).icc),
            std::string(100, 'a') + std::string(100, 'b') + std::string(100, 'c'));
}

TEST_F(JpegMetadataTest, AnIccProfileWithAMissingOrImpossiblePartIsAbsent) {
  const auto jpeg = MakeJpeg({});
  EXPECT_TRUE(Read(WithIcc(WithIcc(jpeg, 1, 3, 'a'), 3, 3, 'c')).icc.empty());
  EXPECT_TRUE(Read(WithIcc(WithIcc(jpeg, 1, 3, 'a'), 2, 3, 'b')).icc.empty());
  EXPECT_TRUE(Read(WithIcc(jpeg, 0, 1, 'a')).icc.empty());
  EXPECT_TRUE(Read(WithIcc(jpeg, 2, 1, 'a')).icc.empty());
  EXPECT_TRUE(
      Read(WithSegment(jpeg, kJpegApp2, AsBytes(std::string("ICC_PROFILE\0\1", 13)))).icc.empty());
}

TEST_F(JpegMetadataTest, AProfileOfManySegmentsSurvivesEncoding) {
  Metadata metadata;
  for (int i = 0; i < 200'000; ++i) metadata.icc.push_back(static_cast<uint8_t>(i * 7 >> 3));
  const auto jpeg = Encode(ImageLayout::Ycbcr(16, 16, 2, 2), {}, metadata);
  EXPECT_EQ(Read(jpeg).icc, metadata.icc);
}

TEST_F(JpegMetadataTest, DensityIsReadFromJfifOrElseFromExif) {
  Metadata metadata;
  metadata.density = Density{300, 150, Density::Unit::kPerInch};
  EXPECT_EQ(Read(Encode(ImageLayout::Ycbcr(16, 16, 2, 2), {}, metadata)).density, metadata.density);
  const std::string exif = std::string("Exif\0\0", 6) + Text(CameraExif(false));
  const auto jpeg = WithSegment(MakeJpeg({.has_jfif = false}), kJpegApp1, AsBytes(exif));
  EXPECT_EQ(Read(jpeg).density, (Density{300, 300, Density::Unit::kPerInch}));
}

TEST_F(JpegMetadataTest, MetadataBeyondItsLimitIsRefused) {
  limits_.max_metadata_bytes = 1000;
  const auto jpeg = WithSegment(MakeJpeg({}), 0xE5, std::vector<uint8_t>(1001));
  EXPECT_EQ(kJpegCodec.probe(jpeg, jpeg.size(), limits_).status().code(),
            StatusCode::kLimitExceeded);
}

TEST_F(JpegMetadataTest, RewritingKeepsEveryCoefficientOfEveryCoding) {
  const Sampling half[] = {{2, 2}, {1, 1}};
  for (const Sampling& sampling : half) {
    for (const J_COLOR_SPACE stored : {JCS_GRAYSCALE, JCS_YCbCr, JCS_RGB, JCS_CMYK, JCS_YCCK}) {
      for (int coding = 0; coding < 4; ++coding) {
        const auto jpeg = CameraFile({.stored = stored,
                                      .sampling = {sampling},
                                      .is_progressive = coding == 1,
                                      .is_arithmetic = coding == 2,
                                      .restart_interval = coding == 3 ? 2u : 0u});
        for (const auto policy :
             {MetadataPolicy::kNone, MetadataPolicy::kSafe, MetadataPolicy::kAll}) {
          const auto rewritten = Rewrite(jpeg, policy).value();
          EXPECT_EQ(PlainCoefficients(rewritten), PlainCoefficients(jpeg));
          EXPECT_EQ(PlainDecode(rewritten, false, 1), PlainDecode(jpeg, false, 1));
        }
      }
    }
  }
}

TEST_F(JpegMetadataTest, RewritingSafelyDropsAllThatIsPrivateAndTheTail) {
  const auto jpeg = CameraFile({});
  ASSERT_NE(Text(jpeg).find("SECRET"), std::string::npos);
  for (const auto policy : {MetadataPolicy::kNone, MetadataPolicy::kSafe}) {
    const auto rewritten = Rewrite(jpeg, policy).value();
    EXPECT_EQ(Text(rewritten).find("SECRET"), std::string::npos);
    EXPECT_EQ(Bytes(rewritten).back(), kJpegEoi);
    const Metadata kept = Read(rewritten);
    EXPECT_EQ(kept.icc, Read(jpeg).icc);
    EXPECT_EQ(kept.orientation, 6);
    const ExifSummary exif = ParseExif(kept.exif);
    const bool is_safe = policy == MetadataPolicy::kSafe;
    EXPECT_EQ(exif.artist, is_safe ? "Ada Artist" : "");
    EXPECT_EQ(exif.copyright, is_safe ? "(c) Company" : "");
  }
}

TEST_F(JpegMetadataTest, RewritingWithAllKeepsAllButWhatFollowsTheEndMarkerAndItsIndex) {
  const auto jpeg = CameraFile({});
  auto expected = jpeg;
  expected.resize(jpeg.size() - 6);
  const size_t name = Text(expected).find("MPF");
  expected.erase(expected.begin() + name - 4, expected.begin() + name + 10);
  EXPECT_EQ(Rewrite(jpeg, MetadataPolicy::kAll).value(), expected);
}

TEST_F(JpegMetadataTest, RewritingDropsTheThumbnailInJfif) {
  const std::string jfif = std::string("JFIF\0\1\2\1\1\54\1\54\2\1", 14) + "SECRET";
  const auto jpeg = WithSegment(MakeJpeg({.has_jfif = false}), kJpegApp0, AsBytes(jfif));
  const auto safe = Rewrite(jpeg, MetadataPolicy::kSafe).value();
  EXPECT_EQ(Text(safe).find("SECRET"), std::string::npos);
  EXPECT_EQ(Read(safe).density, (Density{300, 300, Density::Unit::kPerInch}));
  EXPECT_FALSE(Read(Rewrite(jpeg, MetadataPolicy::kNone).value()).density.has_value());
}

TEST_F(JpegMetadataTest, RewritingIsGivenUpExactlyWhereItIsBeyondALimit) {
  const auto jpeg = CameraFile({.restart_interval = 2});
  const auto whole = Rewrite(jpeg, MetadataPolicy::kSafe).value();
  for (size_t limit = 0; limit <= whole.size() + 2; ++limit) {
    ByteChain out(meter_);
    out.LimitTo(limit);
    const Status status = kJpegCodec.rewrite(jpeg, MetadataPolicy::kSafe, limits_, context_, &out);
    ASSERT_EQ(status.ok(), limit >= whole.size()) << limit;
    ASSERT_EQ(out.is_beyond_limit(), limit < whole.size()) << limit;
    if (status.ok()) {
      ASSERT_EQ(Flat(out), whole);
    }
  }
}

TEST_F(JpegMetadataTest, RewritingATruncatedFileIsCorrupt) {
  const auto jpeg = MakeJpeg({});
  for (const size_t missing : {size_t{1}, size_t{2}, jpeg.size() / 2}) {
    const auto cut = Bytes(jpeg).first(jpeg.size() - missing);
    EXPECT_EQ(Rewrite(cut, MetadataPolicy::kSafe).status().code(), StatusCode::kCorruptImage);
  }
}

}  // namespace
}  // namespace pixpress
