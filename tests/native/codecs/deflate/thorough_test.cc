#include "codecs/deflate/thorough.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "codecs/deflate/piece.h"
#include "codecs/deflate/symbols.h"
#include "codecs/inflated.h"

namespace pixpress {
namespace {

class DeflateThoroughTest : public testing::Test {
 protected:
  // In pieces, as one stream; empty if a piece has no room.
  ByteVector Deflated(const ByteVector& data, size_t piece_bytes, const DeflateEffort& effort = {},
                      size_t period_bytes = 3) {
    ByteVector all;
    for (size_t at = 0; at < data.size(); at += piece_bytes) {
      const size_t known = std::min(at, kDeflateWindowBytes);
      const size_t bytes = std::min(piece_bytes, data.size() - at);
      ByteVector out(DeflateBound(bytes));
      Meter meter(pool_);
      const auto made = DeflateThoroughly(std::span(data).subspan(at, bytes), known, period_bytes,
                                          effort, at + bytes == data.size(), {}, meter, out);
      EXPECT_TRUE(made.ok()) << made.status().message();
      EXPECT_LE(meter.peak_bytes(), DeflateThoroughlyMemoryBytes(bytes, known) * 5 / 4 + 65536);
      if (!made.ok() || made.value() == 0) return {};
      all.insert(all.end(), out.begin(), out.begin() + static_cast<ptrdiff_t>(made.value()));
    }
    return all;
  }

  static size_t LibraryBytes(const ByteVector& data, int level) {
    const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> deflater(
        libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
    ByteVector out(DeflateBound(data.size()));
    return libdeflate_deflate_compress(deflater.get(), data.data(), data.size(), out.data(),
                                       out.size());
  }

  // Flat pixels with bars and noise in between, `kinds` values of them: 2 is a drawing, 256 noise.
  static ByteVector Drawing(size_t bytes, uint32_t kinds, uint32_t seed) {
    ByteVector data(bytes);
    uint32_t state = seed;
    for (size_t i = 0; i < bytes;) {
      state = state * 1664525 + 1013904223;
      const size_t run = 3 * (1 + (state >> 8) % (kinds < 256 ? 200 : 1));
      const uint32_t color = (state >> 20) % kinds;
      for (size_t end = std::min(bytes, i + run); i < end; ++i) {
        data[i] = static_cast<uint8_t>(color * 37 + i % 3 * 85);
      }
    }
    return data;
  }

  BufferPool pool_{1 << 28};
};

TEST_F(DeflateThoroughTest, StreamsTellTheDataWhateverItIs) {
  for (const uint32_t kinds : {1, 2, 7, 256}) {
    for (size_t bytes = 1; bytes < 400'000; bytes = bytes * 3 + 1) {
      const ByteVector data = Drawing(bytes, kinds, 1);
      for (const size_t period : {1, 3, 8}) {
        EXPECT_EQ(Inflated(Deflated(data, bytes, {}, period), bytes), data)
            << bytes << " bytes of " << kinds << " kinds, period " << period;
      }
    }
  }
}

TEST_F(DeflateThoroughTest, AnEighthIsMostThatStreamsWithoutMorePassesTakeMore) {
  const DeflateEffort quick = {.search = {.depth = 6, .run_depth = 3, .enough_bytes = 64},
                               .passes = 0};
  const ByteVector data = Drawing(400'000, 12, 7);
  const ByteVector made = Deflated(data, 150'000, quick);
  EXPECT_EQ(Inflated(made, data.size()), data);
  EXPECT_LT(made.size(), Deflated(data, 150'000).size() * 9 / 8);
}

TEST_F(DeflateThoroughTest, PiecesAreOneStream) {
  const ByteVector data = Drawing(300'000, 9, 2);
  for (const size_t piece_bytes : {1'000, 33'333, 100'000, 299'999}) {
    EXPECT_EQ(Inflated(Deflated(data, piece_bytes), data.size()), data) << piece_bytes;
  }
}

TEST_F(DeflateThoroughTest, APieceRefersToTheWindowBeforeIt) {
  ByteVector data = Drawing(30'000, 256, 3);
  data.insert(data.end(), data.begin(), data.begin() + 30'000);
  const size_t one = Deflated(ByteVector(data.begin(), data.begin() + 30'000), 30'000).size();
  EXPECT_LT(Deflated(data, 30'000).size(), one + 1'000);
}

TEST_F(DeflateThoroughTest, FindsLongMatchesBehindManyPlacesThatBeginAlike) {
  ByteVector data = Drawing(16'000, 256, 7);
  for (uint8_t& byte : data) byte = byte >> 7;
  const size_t once = Deflated(data, data.size()).size();
  const ByteVector sought = data;
  data.insert(data.end(), sought.begin(), sought.end());
  EXPECT_LT(Deflated(data, data.size()).size(), once + once / 4);
}

TEST_F(DeflateThoroughTest, DrawingsTakeFewerBytesThanNearOptimalSearches) {
  for (const uint32_t seed : {1, 2, 3}) {
    const ByteVector data = Drawing(400'000, 12, seed);
    EXPECT_LT(Deflated(data, data.size()).size(), LibraryBytes(data, 10)) << seed;
  }
}

TEST_F(DeflateThoroughTest, MorePassesAndPlacesTakeNoMoreBytes) {
  const DeflateEffort more = {.search = {.depth = 100, .run_depth = 30, .enough_bytes = 258},
                              .passes = 6};
  const ByteVector data = Drawing(400'000, 12, 4);
  EXPECT_LE(Deflated(data, data.size(), more).size(), Deflated(data, data.size()).size());
}

TEST_F(DeflateThoroughTest, TooLittleRoomIsToldAndNothingIsWrittenBehindIt) {
  const ByteVector data = Drawing(10'000, 256, 5);
  ByteVector out(1'000, 0xA5);
  Meter meter(pool_);
  const auto made =
      DeflateThoroughly(data, 0, 3, {}, /*is_last=*/true, {}, meter, std::span(out).first(500));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value(), 0u);
  EXPECT_TRUE(std::all_of(out.begin() + 500, out.end(), [](uint8_t b) { return b == 0xA5; }));
}

TEST_F(DeflateThoroughTest, AStopEndsIt) {
  StopSource source;
  source.RequestStop(StopReason::kCancelled);
  const ByteVector data = Drawing(10'000, 2, 6);
  ByteVector out(DeflateBound(data.size()));
  Meter meter(pool_);
  const auto made = DeflateThoroughly(data, 0, 3, {}, true, StopToken(source), meter, out);
  EXPECT_EQ(made.status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pixpress
