// WebP: exactness, damage, hostile headers, and containers.

#include <string>

#include "codecs/codec_fixture.h"
#include "codecs/webp/encode.h"
#include "image/exif.h"

namespace pixpress {
namespace {

ByteVector PlainRiff(const ByteVector& chunks) {
  const auto size = static_cast<uint32_t>(chunks.size() + 4);
  ByteVector file = Text("RIFF");
  for (int i = 0; i < 4; ++i) file.push_back(static_cast<uint8_t>(size >> 8 * i));
  return file + Text("WEBP") + chunks;
}

ByteVector RiffChunk(std::string_view type, const ByteVector& data) {
  ByteVector chunk = Text(type);
  for (int i = 0; i < 4; ++i) chunk.push_back(static_cast<uint8_t>(data.size() >> 8 * i));
  chunk = chunk + data;
  if (data.size() % 2 != 0) chunk.push_back(0);
  return chunk;
}

// (type, data) of each chunk.
std::vector<std::pair<std::string, ByteVector>> ChunksOf(const ByteVector& webp) {
  std::vector<std::pair<std::string, ByteVector>> chunks;
  for (size_t at = 12; at + 8 <= webp.size();) {
    const size_t length =
        webp[at + 4] | webp[at + 5] << 8 | webp[at + 6] << 16 | size_t{webp[at + 7]} << 24;
    chunks.emplace_back(std::string(webp.begin() + at, webp.begin() + at + 4),
                        ByteVector(webp.begin() + at + 8, webp.begin() + at + 8 + length));
    at += 8 + length + length % 2;
  }
  return chunks;
}

std::string TypesOf(const ByteVector& webp) {
  std::string types;
  for (const auto& [type, data] : ChunksOf(webp)) types += type + "|";
  return types;
}

ByteVector DataOf(const ByteVector& webp, const std::string& wanted) {
  for (const auto& [type, data] : ChunksOf(webp)) {
    if (type == wanted) return data;
  }
  return {};
}

class WebpTest : public CodecTest {
 protected:
  WebpTest() : CodecTest(kWebpCodec) {}

  Image Picture(uint32_t width, uint32_t height, bool has_alpha) {
    Image image =
        Image::Create(ImageLayout::Interleaved(width, height, ColorModel::kRgb, has_alpha), meter_)
            .value();
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t i = 0; i < image.layout().row_bytes(0); ++i) {
        image.row(0, y)[i] = static_cast<uint8_t>((i * 40503u ^ y * 30011u) >> 5);
      }
    }
    return image;
  }
  // Every kind of image data, with all metadata around it and more after it.
  ByteVector Full(const EncodeOptions& options, bool has_alpha) {
    const ByteVector plain = Encode(Picture(19, 11, has_alpha), options);
    ByteVector chunks = RiffChunk(
        "VP8X", {static_cast<uint8_t>(has_alpha ? 0x3C : 0x2C), 0, 0, 0, 18, 0, 0, 10, 0, 0});
    chunks = chunks + RiffChunk("ICCP", Text("profile"));
    for (const auto& [type, data] : ChunksOf(plain)) {
      if (type != "VP8X") chunks = chunks + RiffChunk(type, data);
    }
    ExifSummary summary;
    summary.orientation = 6;
    summary.artist = "Ada";
    return PlainRiff(chunks + RiffChunk("EXIF", BuildExif(summary)) +
                     RiffChunk("XMP ", Text("SECRET!")) + RiffChunk("prVt", Text("SECRET")));
  }
  const std::vector<std::pair<EncodeOptions, bool>> kKinds = {{{.quality = 60}, false},
                                                              {{.quality = 60}, true},
                                                              {{.lossless = true}, false},
                                                              {{.lossless = true}, true}};
};

TEST_F(WebpTest, LosslessIsExactBelowAlphaZeroToo) {
  for (const bool has_alpha : {false, true}) {
    for (const int effort : {1, 5, 10}) {
      Image image = Picture(61, 47, has_alpha);
      if (has_alpha) {
        for (uint32_t x = 0; x < 61; ++x) image.row(0, 5)[4 * x + 3] = 0;
      }
      const ByteVector webp = Encode(image, {.effort = effort, .lossless = true});
      EXPECT_EQ(TypesOf(webp), "VP8L|");
      ExpectSamePixels(Decode(webp).value(), image);
    }
  }
}

TEST_F(WebpTest, LossyKeepsAlphaExactly) {
  const Image image = Picture(61, 47, true);
  const Image decoded = Decode(Encode(image, {.quality = 50})).value();
  for (uint32_t y = 0; y < 47; ++y) {
    for (uint32_t x = 0; x < 61; ++x) ASSERT_EQ(At(decoded, x, y)[3], At(image, x, y)[3]);
  }
}

TEST_F(WebpTest, RefusesPlanesOfAnotherSampling) {
  for (const auto& [h, v] : {std::pair<uint8_t, uint8_t>{1, 1}, {2, 1}}) {
    auto planes = Image::Create(ImageLayout::Ycbcr(16, 16, h, v), meter_);
    WebpBytes out;
    EXPECT_EQ(EncodeWebpImage(std::move(planes).value(), true, {}, context_, &out).code(),
              StatusCode::kInternal);
  }
}

TEST_F(WebpTest, EveryTruncationIsCorrupt) {
  for (const auto& [options, has_alpha] : kKinds) {
    for (const ByteVector& webp :
         {Encode(Picture(61, 47, has_alpha), options), Full(options, has_alpha)}) {
      ASSERT_TRUE(Decode(webp).ok());
      for (size_t part = 1; part < 32; ++part) {
        const auto cut = Decode(Bytes(webp).first(webp.size() * part / 32));
        EXPECT_EQ(cut.status().code(), StatusCode::kCorruptImage) << part;
      }
      EXPECT_EQ(DecodeCode(Bytes(webp).first(webp.size() - 2)), StatusCode::kCorruptImage);
    }
  }
}

TEST_F(WebpTest, DamageNeverReadsOrWritesOutside) {
  for (const auto& [options, has_alpha] : kKinds) {
    const ByteVector webp = Full(options, has_alpha);
    for (size_t at = 0; at < webp.size(); ++at) {
      for (const uint8_t flip : {0x01, 0x80, 0xFF}) {
        ByteVector damaged = webp;
        damaged[at] ^= flip;
        const auto image = Decode(damaged);
        if (!image.ok()) continue;
        EXPECT_LE(image.value().layout().width, 16384u);
        // Damage behind the image is found here at last.
        const auto kept = Rewrite(damaged, MetadataPolicy::kSafe);
        const StatusCode code = kept.status().code();
        EXPECT_TRUE(kept.ok() ? kept.value().size() <= webp.size()
                              : code == StatusCode::kCorruptImage)
            << at;
      }
    }
  }
}

TEST_F(WebpTest, HostileHeadersAreRefused) {
  ByteVector big = RiffChunk("VP8X", {0, 0, 0, 0, 0xFE, 0x3F, 0, 0xFE, 0x3F, 0});
  big = PlainRiff(big + RiffChunk("VP8L", {0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0}));
  EXPECT_FALSE(kWebpCodec.probe(big, big.size(), limits_).ok());
  ByteVector canvas = PlainRiff(RiffChunk("VP8L", {0x2F, 0xFE, 0xBF, 0xFF, 0x0F, 0, 0, 0}));
  EXPECT_EQ(kWebpCodec.probe(canvas, canvas.size(), limits_).status().code(),
            StatusCode::kLimitExceeded);
  const ByteVector animated = PlainRiff(RiffChunk("VP8X", {2, 0, 0, 0, 1, 0, 0, 1, 0, 0}) +
                                        RiffChunk("ANIM", ByteVector(6)));
  // No frames.
  EXPECT_EQ(kWebpCodec.probe(animated, animated.size(), limits_).status().code(),
            StatusCode::kCorruptImage);
  for (const ByteVector& none : {PlainRiff({}), PlainRiff(RiffChunk("ABCD", {1})), Text("RIFF")}) {
    EXPECT_FALSE(kWebpCodec.probe(none, none.size(), limits_).ok());
  }
}

TEST_F(WebpTest, MillionsOfChunksCostNothing) {
  ByteVector chunks = RiffChunk("VP8X", {0, 0, 0, 0, 18, 0, 0, 10, 0, 0});
  const ByteVector empty = RiffChunk("abcd", {});
  for (int i = 0; i < 100'000; ++i) chunks.insert(chunks.end(), empty.begin(), empty.end());
  const ByteVector plain = Encode(Picture(19, 11, false), {});
  const ByteVector webp = PlainRiff(chunks + RiffChunk("VP8 ", DataOf(plain, "VP8 ")));
  EXPECT_TRUE(Decode(webp).ok());
  EXPECT_EQ(TypesOf(Rewrite(webp, MetadataPolicy::kSafe).value()), "VP8 |");
}

TEST_F(WebpTest, RewritingKeepsImageDataAndWhatThePolicyKeeps) {
  for (const auto& [options, has_alpha] : kKinds) {
    const ByteVector webp = Full(options, has_alpha);
    for (const auto policy : {MetadataPolicy::kNone, MetadataPolicy::kSafe}) {
      const ByteVector kept = Rewrite(webp + Text("tail SECRET"), policy).value();
      EXPECT_EQ(std::string(kept.begin(), kept.end()).find("SECRET"), std::string::npos);
      for (const char* type : {"VP8 ", "VP8L", "ALPH", "ICCP"}) {
        EXPECT_EQ(DataOf(kept, type), DataOf(webp, type)) << type;
      }
      const ExifSummary exif = ParseExif(DataOf(kept, "EXIF"));
      EXPECT_EQ(exif.orientation, 6);
      EXPECT_EQ(exif.artist, policy == MetadataPolicy::kSafe ? "Ada" : "");
      EXPECT_EQ(DataOf(kept, "VP8X")[0], 0x20 | 0x08 | (has_alpha ? 0x10 : 0));
      ExpectSamePixels(Decode(kept).value(), Decode(webp).value());
    }
    EXPECT_EQ(Rewrite(webp + Text("tail"), MetadataPolicy::kAll).value(), webp);
  }
}

TEST_F(WebpTest, RewritingAnImageWithoutMetadataChangesNothing) {
  for (const auto& [options, has_alpha] : kKinds) {
    const ByteVector webp = Encode(Picture(61, 47, has_alpha), options);
    EXPECT_EQ(Rewrite(webp, MetadataPolicy::kSafe).value(), webp);
  }
}

TEST_F(WebpTest, RewritingATruncatedFileIsCorrupt) {
  const ByteVector webp = Full({}, false);
  for (const size_t missing : {size_t{1}, webp.size() / 2}) {
    for (const auto policy : {MetadataPolicy::kSafe, MetadataPolicy::kAll}) {
      EXPECT_EQ(Rewrite(Bytes(webp).first(webp.size() - missing), policy).status().code(),
                StatusCode::kCorruptImage);
    }
  }
}

TEST_F(WebpTest, OrientationBehindTheImageIsFound) {
  const ByteVector webp = Full({}, false);
  const auto info = kWebpCodec.probe(webp, webp.size(), limits_).value();
  EXPECT_EQ(info.orientation, 6);
  EXPECT_TRUE(info.has_icc);
  EXPECT_FALSE(info.needs_more_input);
  const size_t head = webp.size() / 2;
  EXPECT_TRUE(
      kWebpCodec.probe(Bytes(webp).first(head), webp.size(), limits_).value().needs_more_input);
}

TEST_F(WebpTest, ExifWithThePrefixOfJpegIsUnderstood) {
  ExifSummary summary;
  summary.orientation = 3;
  const ByteVector plain = Encode(Picture(19, 11, false), {});
  const ByteVector webp =
      PlainRiff(RiffChunk("VP8X", {0x08, 0, 0, 0, 18, 0, 0, 10, 0, 0}) +
                RiffChunk("VP8 ", DataOf(plain, "VP8 ")) +
                RiffChunk("EXIF", Text(std::string_view("Exif\0\0", 6)) + BuildExif(summary)));
  EXPECT_EQ(kWebpCodec.probe(webp, webp.size(), limits_).value().orientation, 3);
  EXPECT_EQ(kWebpCodec.read_metadata(webp, limits_).value().orientation, 3);
}

TEST_F(WebpTest, MetadataBeyondItsLimitIsRefused) {
  limits_.max_metadata_bytes = 100;
  const ByteVector webp = PlainRiff(RiffChunk("ICCP", ByteVector(101)));
  EXPECT_EQ(kWebpCodec.read_metadata(webp, limits_).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(WebpTest, AStopEndsDecodingAndEncoding) {
  const ByteVector webp = Encode(Picture(61, 47, false), {});
  const Image image = Picture(300, 300, false);
  StopSource stop;
  context_.stop = StopToken(stop);
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(DecodeCode(webp), StatusCode::kCancelled);
  for (const bool is_lossless : {false, true}) {
    ByteChain out(meter_);
    auto rows = MakeBorrowedSource(image.layout(), image.row(0, 0), image.stride_bytes(0), {});
    EXPECT_EQ(kWebpCodec.encode(*rows, {.lossless = is_lossless}, {}, context_, &out).code(),
              StatusCode::kCancelled);
  }
}

}  // namespace
}  // namespace pixpress
