// What a policy keeps of a PNG, rewritten or encoded, and that rewriting touches no image data.

#include "codecs/png/fixture.h"
#include "image/exif.h"

namespace pixpress {
namespace {

class PngMetadataTest : public PngTest {
 protected:
  static ByteVector Colors() {
    return PlainChunk("cICP", {9, 16, 0, 1}) + PlainChunk("gAMA", {0, 0, 0xB1, 0x8F}) +
           PlainChunk("cHRM", ByteVector(32, 3)) + PlainChunk("sRGB", {1});
  }
  static ByteVector Private() {
    return PlainChunk("tEXt", Text(std::string_view("Author\0SECRET", 13))) +
           PlainChunk("zTXt", Text(std::string_view("K\0\0SECRET", 9))) +
           PlainChunk("iTXt", Text(std::string_view("XML:com.adobe.xmp\0\0\0\0\0SECRET", 28))) +
           PlainChunk("tIME", Text("SECRET!")) + PlainChunk("prVt", Text("SECRET"));
  }
  // IDAT in two pieces, as one that the encoder would not write.
  ByteVector Made(const ByteVector& before, const ByteVector& after = {}) const {
    const ByteVector data = PlainDeflate({0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12});
    const ByteVector first(data.begin(), data.begin() + 5), second(data.begin() + 5, data.end());
    return kPngSignature + PlainHeader(2, 2, 8, 2) + before + PlainChunk("IDAT", first) +
           PlainChunk("IDAT", second) + after + PlainChunk("IEND", {});
  }
  ByteVector Rewritten(const ByteVector& png, MetadataPolicy policy) {
    auto rewritten = Rewrite(png, policy);
    EXPECT_TRUE(rewritten.ok()) << rewritten.status().message();
    return rewritten.ok() ? rewritten.value() : ByteVector();
  }
  static ByteVector Camera() {
    ExifSummary summary;
    summary.orientation = 6;
    summary.artist = "Ada";
    return BuildExif(summary);
  }
  static ByteVector Density() {
    return PlainChunk("pHYs", {0, 0, 0x2E, 0x23, 0, 0, 0x2E, 0x23, 1});
  }
};

TEST_F(PngMetadataTest, RewritingKeepsColorsAndImageDataAndDropsWhatIsPrivate) {
  const ByteVector png = Made(Colors() + Density() + Private(), PlainChunk("eXIf", Camera()));
  for (const auto policy : {MetadataPolicy::kNone, MetadataPolicy::kSafe}) {
    const bool is_safe = policy == MetadataPolicy::kSafe;
    const ByteVector kept = Rewritten(png + Text("tail SECRET"), policy);
    EXPECT_EQ(ChunkTypes(kept), is_safe ? "IHDR cICP sRGB gAMA cHRM pHYs eXIf IDAT IDAT IEND"
                                        : "IHDR cICP sRGB gAMA cHRM eXIf IDAT IDAT IEND");
    EXPECT_EQ(std::string(kept.begin(), kept.end()).find("SECRET"), std::string::npos);
    for (const char* type : {"IHDR", "cICP", "sRGB", "gAMA", "cHRM", "IDAT"}) {
      EXPECT_EQ(ChunkData(kept, type), ChunkData(png, type)) << type;
    }
    const ExifSummary exif = ParseExif(ChunkData(kept, "eXIf"));
    EXPECT_EQ(exif.orientation, 6);
    EXPECT_EQ(exif.artist, is_safe ? "Ada" : "");
    ExpectSamePixels(Decode(kept).value(), Decode(png).value());
  }
}

TEST_F(PngMetadataTest, RewritingWithAllKeepsEveryByteUpToTheEnd) {
  const ByteVector png = Made(Colors() + Private(), PlainChunk("eXIf", Camera()));
  EXPECT_EQ(Rewritten(png + Text("tail"), MetadataPolicy::kAll), png);
}

TEST_F(PngMetadataTest, RewritingKeepsTransparencyPaletteAnimationAndDepthHints) {
  const ByteVector extra = PlainChunk("sBIT", {5, 6, 5}) + PlainChunk("PLTE", {1, 2, 3}) +
                           PlainChunk("bKGD", ByteVector(6)) + PlainChunk("tRNS", ByteVector(6)) +
                           PlainChunk("acTL", ByteVector(8, 1)) +
                           PlainChunk("fcTL", ByteVector(26));
  const ByteVector png = Made(extra, PlainChunk("fdAT", ByteVector(9)));
  EXPECT_EQ(Rewritten(png, MetadataPolicy::kSafe), png);
}

TEST_F(PngMetadataTest, RewritingDamagedImageDataFails) {
  const ByteVector png = Made({});
  const std::string text(png.begin(), png.end());
  for (const size_t at : {text.find("IDAT") + 5, text.rfind("IDAT") + 5, png.size() - 1}) {
    ByteVector damaged = png;
    damaged[at] ^= 1;
    EXPECT_EQ(Rewrite(damaged, MetadataPolicy::kSafe).status().code(), StatusCode::kCorruptImage);
  }
  const Bytes cut = Bytes(png).first(png.size() - 3);
  EXPECT_EQ(Rewrite(cut, MetadataPolicy::kSafe).status().code(), StatusCode::kCorruptImage);
}

TEST_F(PngMetadataTest, MetadataSurvivesEncoding) {
  Metadata metadata =
      kPngCodec.read_metadata(Made(Colors() + Density() + Private()), limits_).value();
  metadata.exif = Camera();
  const Image image = Make(ImageLayout::Interleaved(9, 9, ColorModel::kRgb, false),
                           [](uint32_t x, uint32_t y, uint32_t c) { return x * 20 + y * 3 + c; });
  const ByteVector png = Encode(image, {}, metadata);
  const Metadata back = kPngCodec.read_metadata(png, limits_).value();
  EXPECT_EQ(back.png_color, metadata.png_color);
  EXPECT_EQ(back.density, metadata.density);
  EXPECT_EQ(back.xmp, metadata.xmp);
  EXPECT_EQ(back.png_texts, metadata.png_texts);
  EXPECT_EQ(back.png_texts.size(), 3u);
  EXPECT_EQ(back.orientation, 6);
}

TEST_F(PngMetadataTest, AProfileSurvivesEncoding) {
  Metadata metadata;
  for (int i = 0; i < 300'000; ++i) metadata.icc.push_back(static_cast<uint8_t>(i / 1000));
  const Image image = Make(ImageLayout::Interleaved(9, 9, ColorModel::kRgb, false),
                           [](uint32_t x, uint32_t, uint32_t) { return x; });
  const ByteVector png = Encode(image, {}, metadata);
  EXPECT_EQ(kPngCodec.read_metadata(png, limits_).value().icc, metadata.icc);
}

TEST_F(PngMetadataTest, DensityInOtherUnitsIsTurnedIntoPixelsPerMeter) {
  const Image image = Make(ImageLayout::Interleaved(9, 9, ColorModel::kRgb, false),
                           [](uint32_t x, uint32_t, uint32_t) { return x; });
  using Unit = pixpress::Density::Unit;
  for (const auto& [given, stored] : {std::pair(pixpress::Density{300, 72, Unit::kPerInch},
                                                pixpress::Density{11811, 2835, Unit::kPerMeter}),
                                      {{100, 50, Unit::kPerCm}, {10000, 5000, Unit::kPerMeter}},
                                      {{4, 3, Unit::kAspect}, {4, 3, Unit::kAspect}}}) {
    Metadata metadata;
    metadata.density = given;
    EXPECT_EQ(kPngCodec.read_metadata(Encode(image, {}, metadata), limits_).value().density,
              stored);
  }
}

TEST_F(PngMetadataTest, DamagedColorChunksAreAbsent) {
  const ByteVector png =
      Made(PlainChunk("gAMA", {1}) + PlainChunk("cHRM", {1}) + PlainChunk("sRGB", {9}) +
           PlainChunk("cICP", {}) + PlainChunk("pHYs", {1}) + PlainChunk("iCCP", Text("name")));
  const Metadata metadata = kPngCodec.read_metadata(png, limits_).value();
  EXPECT_EQ(metadata.png_color, PngColor());
  EXPECT_FALSE(metadata.density.has_value());
  EXPECT_TRUE(metadata.icc.empty());
}

}  // namespace
}  // namespace pixpress
