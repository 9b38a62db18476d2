// Every kind of PNG against values that the test computes itself, and every kind of damage.

#include "codecs/png/fixture.h"

namespace pixpress {
namespace {

struct Kind {
  uint8_t type;
  uint8_t depth;
};
constexpr Kind kKinds[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                           {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

uint32_t ChannelsOf(uint8_t type) { return type == 2 ? 3 : type == 4 ? 2 : type == 6 ? 4 : 1; }

// A stored sample; the low byte of 16 bits matters.
uint32_t SampleAt(uint32_t x, uint32_t y, uint32_t c, uint8_t depth) {
  return (x * 40503u + y * 30011u + c * 20011u + x * y) & ((1u << depth) - 1);
}

struct Pass {
  uint32_t x, y, dx, dy;
};

ByteVector PackPass(const Kind& kind, uint32_t width, uint32_t height, const Pass& pass) {
  ByteVector rows;
  for (uint32_t y = pass.y; y < height; y += pass.dy) {
    if (pass.x >= width) break;
    rows.push_back(0);
    uint32_t bits = 0, filled = 0;
    for (uint32_t x = pass.x; x < width; x += pass.dx) {
      for (uint32_t c = 0; c < ChannelsOf(kind.type); ++c) {
        bits = bits << kind.depth | SampleAt(x, y, c, kind.depth);
        filled += kind.depth;
        if (filled == 16) rows.push_back(static_cast<uint8_t>(bits >> 8));
        if (filled >= 8) rows.push_back(static_cast<uint8_t>(bits));
        if (filled >= 8) bits = filled = 0;
      }
    }
    if (filled > 0) rows.push_back(static_cast<uint8_t>(bits << (8 - filled)));
  }
  return rows;
}

ByteVector Palette(uint8_t depth) {
  ByteVector plte;
  for (int i = 0; i < 1 << depth; ++i) {
    plte.insert(plte.end(), {static_cast<uint8_t>(i * 7 + 1), static_cast<uint8_t>(255 - i),
                             static_cast<uint8_t>(i * 31)});
  }
  return plte;
}

constexpr Pass kWhole[] = {{0, 0, 1, 1}};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                           {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

ByteVector PlainPng(const Kind& kind, uint32_t width, uint32_t height, bool is_interlaced,
                    const ByteVector& extra = {}) {
  ByteVector rows;
  for (const Pass& pass : is_interlaced ? std::span<const Pass>(kAdam7) : kWhole) {
    rows = rows + PackPass(kind, width, height, pass);
  }
  ByteVector png = kPngSignature + PlainHeader(width, height, kind.depth, kind.type, is_interlaced);
  if (kind.type == 3) png = png + PlainChunk("PLTE", Palette(kind.depth));
  return png + extra + PlainChunk("IDAT", PlainDeflate(rows)) + PlainChunk("IEND", {});
}

std::array<uint32_t, 4> Expected(const Kind& kind, uint32_t x, uint32_t y) {
  const auto s = [&](uint32_t c) { return SampleAt(x, y, c, kind.depth); };
  const uint32_t opaque = kind.depth == 16 ? 65535 : 255;
  if (kind.type == 3) {
    const ByteVector plte = Palette(kind.depth);
    return {plte[3 * s(0)], plte[3 * s(0) + 1], plte[3 * s(0) + 2], 255};
  }
  if (kind.type == 2) return {s(0), s(1), s(2), opaque};
  if (kind.type == 6) return {s(0), s(1), s(2), s(3)};
  const uint32_t gray = kind.depth < 8 ? s(0) * 255 / ((1u << kind.depth) - 1) : s(0);
  return {gray, gray, gray, kind.type == 4 ? s(1) : opaque};
}

class PngDecodeTest : public PngTest {};

TEST_F(PngDecodeTest, EveryColorTypeDepthAndInterlaceDecodesExactly) {
  for (const Kind& kind : kKinds) {
    for (const bool is_interlaced : {false, true}) {
      for (const auto& [width, height] : {std::pair(1u, 1u), {5u, 3u}, {37u, 21u}, {2u, 130u}}) {
        SCOPED_TRACE(testing::Message() << "type " << int{kind.type} << " depth " << int{kind.depth}
                                        << (is_interlaced ? " interlaced " : " ") << width);
        const auto image = Decode(PlainPng(kind, width, height, is_interlaced));
        ASSERT_TRUE(image.ok()) << image.status().message();
        ASSERT_EQ(image.value().layout().bits, kind.depth == 16 ? 16 : 8);
        for (uint32_t y = 0; y < height; ++y) {
          for (uint32_t x = 0; x < width; ++x) {
            ASSERT_EQ(At(image.value(), x, y), Expected(kind, x, y)) << x << ", " << y;
          }
        }
      }
    }
  }
}

TEST_F(PngDecodeTest, ATransparentColorBecomesAlpha) {
  for (const Kind& kind : kKinds) {
    if (kind.type > 2) continue;
    ByteVector trns;
    for (uint32_t c = 0; c < ChannelsOf(kind.type); ++c) {
      const uint32_t sample = SampleAt(3, 2, c, kind.depth);
      trns.push_back(static_cast<uint8_t>(sample >> 8));
      trns.push_back(static_cast<uint8_t>(sample));
    }
    const auto image = Decode(PlainPng(kind, 9, 5, false, PlainChunk("tRNS", trns)));
    ASSERT_TRUE(image.ok()) << image.status().message();
    ASSERT_TRUE(image.value().layout().has_alpha);
    for (uint32_t x = 0; x < 9; ++x) {
      auto expected = Expected(kind, x, 2);
      if (expected == Expected(kind, 3, 2)) expected[3] = 0;
      EXPECT_EQ(At(image.value(), x, 2), expected);
    }
  }
}

TEST_F(PngDecodeTest, PaletteEntriesBeyondTransparencyAreOpaque) {
  const Kind kind = {3, 2};
  const auto image = Decode(PlainPng(kind, 9, 5, false, PlainChunk("tRNS", {10, 20})));
  ASSERT_TRUE(image.ok());
  constexpr uint32_t kAlpha[] = {10, 20, 255, 255};
  for (uint32_t x = 0; x < 9; ++x) {
    EXPECT_EQ(At(image.value(), x, 1)[3], kAlpha[SampleAt(x, 1, 0, 2)]);
  }
}

TEST_F(PngDecodeTest, TransparencyOfAWrongLengthIsIgnored) {
  for (const ByteVector& trns : {ByteVector{}, ByteVector{1}, ByteVector(7, 1)}) {
    const auto gray = Decode(PlainPng({0, 8}, 9, 5, false, PlainChunk("tRNS", trns)));
    ASSERT_TRUE(gray.ok()) << gray.status().message();
    EXPECT_FALSE(gray.value().layout().has_alpha);
  }
  EXPECT_TRUE(Decode(PlainPng({3, 1}, 9, 5, false, PlainChunk("tRNS", ByteVector(3, 1)))).ok());
}

TEST_F(PngDecodeTest, EveryTruncationIsCorrupt) {
  for (const bool is_interlaced : {false, true}) {
    const ByteVector png = PlainPng({6, 16}, 40, 40, is_interlaced);
    for (size_t part = 1; part < 32; ++part) {
      const auto cut = Decode(Bytes(png).first(png.size() * part / 32));
      EXPECT_EQ(cut.status().code(), StatusCode::kCorruptImage) << part;
      EXPECT_FALSE(cut.status().message().empty());
    }
    EXPECT_EQ(DecodeCode(Bytes(png).first(png.size() - 1)), StatusCode::kCorruptImage);
  }
}

TEST_F(PngDecodeTest, EveryFlippedBitIsCorruptOrHarmless) {
  const ByteVector png = PlainPng({2, 8}, 12, 9, false);
  const Image whole = Decode(png).value();
  for (size_t bit = 8 * 8; bit < png.size() * 8; ++bit) {
    ByteVector damaged = png;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto image = Decode(damaged);
    if (image.ok()) ExpectSamePixels(image.value(), whole);
  }
}

// `parts` chunks of image data, the second one empty.
ByteVector InParts(const ByteVector& stream, size_t parts) {
  ByteVector chunks;
  for (size_t i = 0; i < parts; ++i) {
    const auto begin = stream.begin() + static_cast<ptrdiff_t>(stream.size() * i / parts);
    const auto end = stream.begin() + static_cast<ptrdiff_t>(stream.size() * (i + 1) / parts);
    chunks = chunks + PlainChunk("IDAT", ByteVector(begin, end));
    if (i == 0) chunks = chunks + PlainChunk("IDAT", {});
  }
  return chunks;
}

TEST_F(PngDecodeTest, DataInManyChunksDecodesExactlyWhateverItsSize) {
  const Kind kind = {6, 8};
  // One stored block, several, and too many to be inflated at once.
  for (const auto& [width, height] : {std::pair(30u, 20u), {300u, 200u}, {1500u, 1500u}}) {
    const ByteVector stream = PlainDeflate(PackPass(kind, width, height, kWhole[0]));
    for (const size_t parts : {1u, 2u, 7u}) {
      SCOPED_TRACE(testing::Message() << width << " pixels in " << parts << " parts");
      const auto image = Decode(kPngSignature + PlainHeader(width, height, 8, 6) +
                                InParts(stream, parts) + PlainChunk("IEND", {}));
      ASSERT_TRUE(image.ok()) << image.status().message();
      uint64_t wrong = 0;
      for (uint32_t y = 0; y < height; ++y) {
        for (uint32_t x = 0; x < width; ++x) {
          wrong += At(image.value(), x, y) != Expected(kind, x, y) ? 1 : 0;
        }
      }
      EXPECT_EQ(wrong, 0u);
    }
  }
}

TEST_F(PngDecodeTest, MoreDataThanRowsIsLeftAndLessIsCorrupt) {
  const Kind kind = {2, 8};
  ByteVector rows = PackPass(kind, 40, 30, kWhole[0]);
  const auto decode = [&](const ByteVector& raw) {
    return Decode(kPngSignature + PlainHeader(40, 30, 8, 2) +
                  PlainChunk("IDAT", PlainDeflate(raw)) + PlainChunk("IEND", {}));
  };
  const auto whole = decode(rows);
  ASSERT_TRUE(whole.ok());
  rows.insert(rows.end(), 500, 7);
  const auto more = decode(rows);
  ASSERT_TRUE(more.ok()) << more.status().message();
  ExpectSamePixels(more.value(), whole.value());
  rows.resize(rows.size() - 501);
  EXPECT_EQ(decode(rows).status().code(), StatusCode::kCorruptImage);
}

TEST_F(PngDecodeTest, HostileHeadersAreRefused) {
  const auto with_header = [](const ByteVector& header) {
    return kPngSignature + header + PlainChunk("IDAT", PlainDeflate({0, 0})) +
           PlainChunk("IEND", {});
  };
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(60000, 60000, 8, 2))), StatusCode::kLimitExceeded);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(~0u, ~0u, 16, 6))), StatusCode::kLimitExceeded);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(0, 5, 8, 2))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(5, 5, 3, 2))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(5, 5, 16, 3))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(5, 5, 8, 5))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(5, 5, 8, 2, 2))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainHeader(5, 5, 8, 3))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(with_header(PlainChunk("IHDR", {0, 0, 0, 1}))), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode(kPngSignature + ByteVector{0xFF, 0xFF, 0xFF, 0xFF, 'I', 'H', 'D', 'R'}),
            StatusCode::kCorruptImage);
}

TEST_F(PngDecodeTest, AWideImageOfFewRowsPlansFewRows) {
  ImageInfo info;
  info.width = 100'000'000;
  info.height = 1;
  info.has_alpha = true;
  info.bits = 16;
  EXPECT_LT(kPngCodec.decode_memory_bytes(info, {}), 6ull * 800'000'000);
}

TEST_F(PngDecodeTest, MillionsOfChunksAndBombsInTextCostNothing) {
  const ByteVector bomb = PlainDeflate(ByteVector(64 << 20, 'a'));
  ByteVector extra = PlainChunk("zTXt", Text(std::string_view("a\0\0", 3)) + bomb) +
                     PlainChunk("iCCP", Text(std::string_view("a\0\0", 3)) + bomb);
  const ByteVector empty = PlainChunk("abCd", {});
  for (int i = 0; i < 50'000; ++i) extra.insert(extra.end(), empty.begin(), empty.end());
  const ByteVector png = PlainPng({2, 8}, 9, 9, false, extra);
  EXPECT_TRUE(Decode(png).ok());
  const auto metadata = kPngCodec.read_metadata(png, limits_);
  ASSERT_TRUE(metadata.ok());
  EXPECT_TRUE(metadata.value().icc.empty());
}

TEST_F(PngDecodeTest, MetadataBeyondItsLimitIsRefused) {
  limits_.max_metadata_bytes = 10'000;
  ByteVector extra;
  for (int i = 0; i < 200; ++i)
    extra = extra + PlainChunk("tEXt", Text(std::string_view("a\0", 2)));
  const ByteVector png = PlainPng({2, 8}, 9, 9, false, extra);
  EXPECT_EQ(kPngCodec.read_metadata(png, limits_).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(PngDecodeTest, ABadChecksumIsCorrupt) {
  ByteVector png = PlainPng({2, 8}, 9, 9, false, PlainChunk("tEXt", Text("key")));
  for (const char* type : {"IHDR", "tEXt", "IDAT"}) {
    ByteVector damaged = png;
    const std::string text(png.begin(), png.end());
    damaged[text.find(type) + 4] ^= 1;
    EXPECT_EQ(DecodeCode(damaged), StatusCode::kCorruptImage) << type;
  }
}

TEST_F(PngDecodeTest, AHeadThatEndsInTheImageDataIsEnough) {
  const ByteVector png = PlainPng({2, 8}, 90, 90, false);
  const std::string text(png.begin(), png.end());
  const size_t data_at = text.find("IDAT");
  const auto info = kPngCodec.probe(Bytes(png).first(data_at + 10), png.size(), limits_);
  ASSERT_TRUE(info.ok());
  EXPECT_FALSE(info.value().needs_more_input);
  EXPECT_EQ(info.value().width, 90u);
  const auto less = kPngCodec.probe(Bytes(png).first(data_at - 4), png.size(), limits_);
  ASSERT_TRUE(less.ok());
  EXPECT_TRUE(less.value().needs_more_input);
  EXPECT_TRUE(kPngCodec.probe(Bytes(png).first(20), png.size(), limits_).value().needs_more_input);
}

TEST_F(PngDecodeTest, AStopEndsDecoding) {
  StopSource stop;
  context_.stop = StopToken(stop);
  stop.RequestStop(StopReason::kCancelled);
  for (const bool is_interlaced : {false, true}) {
    EXPECT_EQ(DecodeCode(PlainPng({2, 8}, 90, 90, is_interlaced)), StatusCode::kCancelled);
  }
}

}  // namespace
}  // namespace pixpress
