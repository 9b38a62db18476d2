// AVIF: what differs between versions of libavif must not show.

#include "codecs/codec.h"

#include "codecs/animation_fixture.h"
#include "codecs/avif/quantizer.h"
#include "image/exif.h"

namespace pixpress {
namespace {

constexpr uint32_t kWidth = 48;
constexpr uint32_t kHeight = 32;

class AvifTest : public AnimationTest {
 protected:
  AvifTest() : AnimationTest(kAvifCodec) {}

  Image Picture(bool has_alpha, uint32_t shift = 0) {
    Image image =
        Image::Create(ImageLayout::Interleaved(kWidth, kHeight, ColorModel::kRgb, has_alpha),
                      meter_)
            .value();
    for (uint32_t y = 0; y < kHeight; ++y) {
      for (uint32_t i = 0; i < image.layout().row_bytes(0); ++i) {
        image.row(0, y)[i] = static_cast<uint8_t>((i + shift) * (y + 3) ^ (i * i >> 7));
      }
    }
    return image;
  }

  ByteVector Sequence(uint32_t loop_count, const EncodeOptions& options) {
    const AnimationInfo animation = {kWidth, kHeight, 3, loop_count};
    ByteChain out(meter_);
    auto sink = codec_.start_animation(animation, options, {}, context_, &out);
    EXPECT_TRUE(sink.ok());
    for (uint32_t frame = 0; frame < 3; ++frame) {
      const Status added = sink.value()->Add(Picture(true, frame), {frame + 1, 30});
      EXPECT_TRUE(added.ok()) << added.message();
    }
    const Status finished = sink.value()->Finish();
    EXPECT_TRUE(finished.ok()) << finished.message();
    return Flat(out);
  }
};

TEST_F(AvifTest, LosslessIsExact) {
  for (const bool has_alpha : {false, true}) {
    const Image image = Picture(has_alpha);
    ExpectSamePixels(Decode(Encode(image, {.lossless = true})).value(), image);
  }
}

TEST_F(AvifTest, AlphaIsExactBesideLossyColor) {
  const Image image = Picture(true);
  const Image decoded = Decode(Encode(image, {.quality = 40})).value();
  for (uint32_t y = 0; y < kHeight; ++y) {
    for (uint32_t x = 0; x < kWidth; ++x) ASSERT_EQ(At(decoded, x, y)[3], At(image, x, y)[3]);
  }
}

TEST_F(AvifTest, QualitiesOfOneLevelMakeTheSameAndOthersAnother) {
  const Image image = Picture(false);
  ByteVector before = Encode(image, {.quality = 60});
  for (int quality = 61; quality < 70; ++quality) {
    ByteVector made = Encode(image, {.quality = quality});
    EXPECT_EQ(made == before, AvifQuantizer(quality) == AvifQuantizer(quality - 1)) << quality;
    before = std::move(made);
  }
  EXPECT_LT(2 * Encode(image, {.quality = 20}).size(), Encode(image, {.quality = 90}).size());
}

TEST_F(AvifTest, TheOrientationIsTheOneThatIsAskedForWhateverExifSays) {
  Metadata metadata;
  ExifSummary summary;
  summary.orientation = 6;
  metadata.exif = BuildExif(summary);
  for (uint8_t orientation = 1; orientation <= 8; ++orientation) {
    metadata.orientation = orientation;
    const ByteVector made = Encode(Picture(false), {}, metadata);
    EXPECT_EQ(codec_.probe(made, made.size(), limits_).value().orientation, orientation);
  }
}

TEST_F(AvifTest, SequencesKeepFramesDurationsAndLoops) {
  for (const uint32_t loops : {0u, 1u, 2u, 65'536u, 2'147'483'647u}) {
    const Shown shown = Play(Sequence(loops, {.lossless = true})).value();
    EXPECT_EQ(shown.loop_count, loops);
    ASSERT_EQ(shown.canvases.size(), 3u);
    for (uint32_t frame = 0; frame < 3; ++frame) {
      EXPECT_EQ(shown.canvases[frame], Flatten(Picture(true, frame)));
      const FrameDuration& duration = shown.durations[frame];
      EXPECT_EQ(duration.numerator * 30, duration.denominator * (frame + 1));
    }
  }
}

TEST_F(AvifTest, NoisyFramesAreEncodedInAnotherWayThatIsExactToo) {
  const ByteVector made = Sequence(0, {.lossless = true, .noisy_frames = true});
  const Shown shown = Play(made).value();
  ASSERT_EQ(shown.canvases.size(), 3u);
  EXPECT_EQ(shown.canvases[2], Flatten(Picture(true, 2)));
}

TEST_F(AvifTest, MetadataComesBack) {
  Metadata metadata;
  metadata.icc = Text("a profile");
  metadata.xmp = Text("<xmp/>");
  ExifSummary summary;
  summary.artist = "Ada";
  metadata.exif = BuildExif(summary);
  const ByteVector made = Encode(Picture(false), {}, metadata);
  const Metadata back = codec_.read_metadata(made, limits_).value();
  EXPECT_EQ(back.icc, metadata.icc);
  EXPECT_EQ(back.xmp, metadata.xmp);
  EXPECT_EQ(back.exif, metadata.exif);
}

}  // namespace
}  // namespace pixpress
