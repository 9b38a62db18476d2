#include "codecs/deflate/literals.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "codecs/deflate/piece.h"
#include "codecs/inflated.h"

namespace pixpress {
namespace {

// Noise around a value that changes halfway, `spread` wide.
ByteVector Noise(size_t bytes, uint32_t spread) {
  ByteVector data(bytes);
  uint32_t state = 3;
  for (size_t i = 0; i < bytes; ++i) {
    state = state * 1664525 + 1013904223;
    const uint32_t sum = (state >> 8) % spread + (state >> 20) % spread;
    data[i] = static_cast<uint8_t>(sum + (i < bytes / 2 ? 0 : 100));
  }
  return data;
}

ByteVector Deflated(const ByteVector& data, bool is_last) {
  ByteVector out(DeflateBound(data.size()));
  const auto made = DeflateLiterals(data, is_last, {}, out);
  EXPECT_TRUE(made.ok());
  out.resize(made.value());
  return out;
}

TEST(DeflateLiteralsTest, PiecesContinueInOthers) {
  for (const size_t bytes : {1, 2, 3, 4, 100, 8'191, 300'000, 700'001}) {
    for (const uint32_t spread : {1, 5, 120}) {
      const ByteVector data = Noise(bytes, spread);
      ByteVector stream = Deflated(data, /*is_last=*/false);
      const ByteVector end = Deflated(data, /*is_last=*/true);
      stream.insert(stream.end(), end.begin(), end.end());
      ByteVector both = data;
      both.insert(both.end(), data.begin(), data.end());
      EXPECT_EQ(Inflated(stream, both.size()), both) << bytes << " bytes, spread " << spread;
    }
  }
}

TEST(DeflateLiteralsTest, TheLeastIsAboutWhatIsMade) {
  for (const uint32_t spread : {4, 20, 120}) {
    const ByteVector data = Noise(400'000, spread);
    const size_t made = Deflated(data, /*is_last=*/true).size();
    const size_t least = LeastLiteralBytes(data);
    EXPECT_LE(least, made);
    EXPECT_GT(least, made * 9 / 10) << spread;
  }
  EXPECT_EQ(LeastLiteralBytes({}), 0u);
}

TEST(DeflateLiteralsTest, OtherNoiseGetsOtherCodes) {
  const ByteVector data = Noise(192 << 10, 20);
  const ByteVector half(data.begin(), data.begin() + (96 << 10));
  const ByteVector rest(data.begin() + (96 << 10), data.end());
  EXPECT_LE(Deflated(data, true).size(),
            Deflated(half, true).size() + Deflated(rest, true).size() + 2);
}

TEST(DeflateLiteralsTest, TooLittleRoomIsTold) {
  const ByteVector data = Noise(10'000, 120);
  ByteVector out(5'000);
  const auto made = DeflateLiterals(data, /*is_last=*/true, {}, out);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value(), 0u);
}

}  // namespace
}  // namespace pixpress
