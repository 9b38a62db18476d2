#include <random>

#include "codecs/gif/fixture.h"
#include "codecs/gif/lzw_decoder.h"

namespace pixpress {
namespace {

class GifLzwTest : public GifTest {
 protected:
  // Code size first, as Encode gives it.
  std::vector<uint8_t> DecodeAll(const std::vector<uint8_t>& data, size_t pixels, size_t piece) {
    GifLzwDecoder decoder = GifLzwDecoder::Create(meter_).value();
    EXPECT_TRUE(decoder.Start(Bytes(data).subspan(1), data[0]).ok());
    std::vector<uint8_t> indices(pixels);
    for (size_t at = 0; at < pixels; at += piece) {
      const Status status =
          decoder.Read(std::span(indices).subspan(at, std::min(piece, pixels - at)));
      EXPECT_TRUE(status.ok()) << status.message();
    }
    return indices;
  }

  template <typename Write>
  std::vector<uint8_t> EncodeWith(uint8_t code_bits, Write write) {
    ByteChain out(meter_);
    GifLzwEncoder encoder = GifLzwEncoder::Create(meter_).value();
    EXPECT_TRUE(encoder.Start(code_bits, &out).ok());
    write(encoder);
    EXPECT_TRUE(encoder.Finish().ok());
    std::vector<uint8_t> bytes(out.size_bytes());
    out.CopyTo(bytes.data());
    return bytes;
  }

  StatusCode DecodeCode(const std::vector<uint8_t>& data, size_t pixels) {
    GifLzwDecoder decoder = GifLzwDecoder::Create(meter_).value();
    const Status started = decoder.Start(Bytes(data).subspan(1), data[0]);
    if (!started.ok()) return started.code();
    std::vector<uint8_t> indices(pixels);
    return decoder.Read(indices).code();
  }
};

// Runs and noise in turn, so that tables fill, are kept and are cleared.
std::vector<uint8_t> Mixed(size_t pixels, uint8_t code_bits, std::mt19937& random) {
  std::vector<uint8_t> indices;
  while (indices.size() < pixels) {
    const size_t run = random() % 4 == 0 ? random() % 9000 : random() % 12;
    const uint8_t index = static_cast<uint8_t>(random() & ((1u << code_bits) - 1));
    for (size_t i = 0; i <= run; ++i) {
      indices.push_back(run > 4000 ? static_cast<uint8_t>(random() & ((1u << code_bits) - 1))
                                   : index);
    }
  }
  indices.resize(pixels);
  return indices;
}

TEST_F(GifLzwTest, EveryCodeSizeComesBackWhateverThePieces) {
  std::mt19937 random(11);
  for (uint8_t code_bits = 2; code_bits <= 8; ++code_bits) {
    for (const size_t pixels : {size_t{1}, size_t{2}, size_t{255}, size_t{120'000}}) {
      SCOPED_TRACE(testing::Message() << "bits " << int{code_bits} << " pixels " << pixels);
      const std::vector<uint8_t> indices = Mixed(pixels, code_bits, random);
      const std::vector<uint8_t> whole = EncodeWith(
          code_bits, [&](GifLzwEncoder& encoder) { EXPECT_TRUE(encoder.Write(indices).ok()); });
      const std::vector<uint8_t> pieces = EncodeWith(code_bits, [&](GifLzwEncoder& encoder) {
        for (size_t at = 0; at < pixels; at += 77) {
          EXPECT_TRUE(
              encoder.Write(std::span(indices).subspan(at, std::min<size_t>(77, pixels - at)))
                  .ok());
        }
      });
      EXPECT_EQ(whole, pieces);
      EXPECT_LE(whole.size(), GifLzwEncoder::OutputBytes(pixels));
      EXPECT_EQ(DecodeAll(whole, pixels, pixels), indices);
      EXPECT_EQ(DecodeAll(whole, pixels, 101), indices);
    }
  }
}

TEST_F(GifLzwTest, FreePixelsComeBackAsOneOfTheirTwoIndices) {
  std::mt19937 random(12);
  for (const uint8_t code_bits : {2, 5, 8}) {
    const uint8_t free_index = static_cast<uint8_t>((1u << code_bits) - 1);
    std::vector<uint8_t> indices = Mixed(90'000, code_bits, random);
    std::vector<uint8_t> free(indices.size());
    for (size_t i = 0; i < free.size(); ++i) free[i] = i / 500 % 3 == 0 ? random() % 8 != 0 : 0;
    const std::vector<uint8_t> data = EncodeWith(code_bits, [&](GifLzwEncoder& encoder) {
      EXPECT_TRUE(encoder.WriteWithChoice(indices, free, free_index, {}, {}).ok());
    });
    const std::vector<uint8_t> decoded = DecodeAll(data, indices.size(), 1000);
    size_t wrong = 0;
    for (size_t i = 0; i < indices.size(); ++i) {
      if (decoded[i] != indices[i] && !(free[i] != 0 && decoded[i] == free_index)) ++wrong;
    }
    EXPECT_EQ(wrong, 0u);
  }
}

TEST_F(GifLzwTest, FreePixelsSaveBytes) {
  std::mt19937 random(13);
  std::vector<uint8_t> indices = Mixed(50'000, 6, random);
  const std::vector<uint8_t> free(indices.size(), 1);
  const auto encode = [&](const std::vector<uint8_t>& choice) {
    return EncodeWith(6,
                      [&](GifLzwEncoder& encoder) {
                        EXPECT_TRUE(encoder.WriteWithChoice(indices, choice, 63, {}, {}).ok());
                      })
        .size();
  };
  EXPECT_LT(encode(free) * 10, encode(std::vector<uint8_t>(indices.size(), 0)));
}

TEST_F(GifLzwTest, NoiseStaysBelowItsBound) {
  std::mt19937 random(14);
  std::vector<uint8_t> indices(200'000);
  for (uint8_t& index : indices) index = static_cast<uint8_t>(random());
  const std::vector<uint8_t> data =
      EncodeWith(8, [&](GifLzwEncoder& encoder) { EXPECT_TRUE(encoder.Write(indices).ok()); });
  EXPECT_LE(data.size(), GifLzwEncoder::OutputBytes(indices.size()));
  EXPECT_EQ(DecodeAll(data, indices.size(), 4097), indices);
}

TEST_F(GifLzwTest, ImpossibleCodesAreDamage) {
  // Three bits each, from the lowest: clear is 4, end is 5, the first new string is 6.
  EXPECT_EQ(DecodeCode({2, 1, 0b00'110'100, 0}, 4), StatusCode::kCorruptImage);       // 6 at once.
  EXPECT_EQ(DecodeCode({2, 2, 0b11'000'100, 0b1, 0}, 4), StatusCode::kCorruptImage);  // 7 after 0.
  EXPECT_EQ(DecodeCode({2, 1, 0b00'101'100, 0}, 1), StatusCode::kCorruptImage);  // End at once.
}

TEST_F(GifLzwTest, DataThatEndsEarlyIsDamage) {
  EXPECT_EQ(DecodeCode({2, 1, 0b00'000'100}, 9), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode({2, 200, 0b00'000'100}, 9), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode({2, 0}, 1), StatusCode::kCorruptImage);
  EXPECT_EQ(DecodeCode({2}, 1), StatusCode::kCorruptImage);
}

TEST_F(GifLzwTest, CodeSizesThatNoIndexHasAreDamage) {
  for (const uint8_t bits : {0, 9, 12, 143, 255}) {
    EXPECT_EQ(DecodeCode({bits, 1, 0, 0}, 1), StatusCode::kCorruptImage) << int{bits};
  }
}

TEST_F(GifLzwTest, RandomBytesEndWithoutReadingBeyond) {
  std::mt19937 random(15);
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> data(2 + random() % 700);
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random());
    data[0] = static_cast<uint8_t>(1 + random() % 8);
    const StatusCode code = DecodeCode(data, 1 + random() % 5000);
    EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kCorruptImage);
  }
}

}  // namespace
}  // namespace pixpress
