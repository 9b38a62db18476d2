#include "codecs/deflate/piece.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "codecs/deflate/symbols.h"
#include "codecs/inflated.h"

namespace pixpress {
namespace {

// Blocks of every kind: flat, text-like, and noise that is stored.
ByteVector Mixed(size_t bytes, uint32_t seed) {
  ByteVector data(bytes);
  uint32_t state = seed;
  for (size_t i = 0; i < bytes; ++i) {
    state = state * 1664525 + 1013904223;
    const size_t part = i * 3 / std::max<size_t>(bytes, 1);
    data[i] = static_cast<uint8_t>(part == 0 ? 7 : part == 1 ? (state >> 24) % 5 : state >> 24);
  }
  return data;
}

ByteVector Whole(const ByteVector& data, int level) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> deflater(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  ByteVector stream(DeflateBound(data.size()));
  stream.resize(libdeflate_deflate_compress(deflater.get(), data.data(), data.size(), stream.data(),
                                            stream.size()));
  return stream;
}

// `data` in pieces, each deflated with the window before it.
ByteVector InPieces(const ByteVector& data, size_t piece_bytes, int level) {
  ByteVector all;
  const std::span<const uint8_t> bytes(data);
  for (size_t at = 0; at < data.size(); at += piece_bytes) {
    const size_t known = std::min(at, kDeflateWindowBytes);
    const auto piece = bytes.subspan(at, std::min(piece_bytes, data.size() - at));
    const auto whole = bytes.subspan(at - known, known + piece.size());
    ByteVector out(DeflateBound(piece.size()));
    const auto made = TakeDeflatePiece(Whole({whole.begin(), whole.end()}, level), known, piece,
                                       at + piece_bytes >= data.size(), out);
    EXPECT_TRUE(made.ok()) << made.status().message();
    if (!made.ok()) return {};
    all.insert(all.end(), out.begin(), out.begin() + static_cast<ptrdiff_t>(made.value()));
  }
  return all;
}

TEST(DeflatePieceTest, PiecesAreOneStream) {
  for (const int level : {0, 1, 6, 9, 12}) {
    // Sizes around each other cut blocks of every kind, and matches, at every bit of a byte.
    for (size_t bytes = 1; bytes < 200'000; bytes = bytes * 2 + 1) {
      const ByteVector data = Mixed(bytes, 1);
      for (const size_t piece_bytes : {bytes / 7 + 1, bytes / 3 + 1, bytes}) {
        EXPECT_EQ(Inflated(InPieces(data, piece_bytes, level), bytes), data)
            << bytes << " bytes in pieces of " << piece_bytes << ", level " << level;
      }
    }
  }
}

TEST(DeflatePieceTest, CutsWithinMatchesOfEveryLengthAreWhole) {
  // Repeats of 300 bytes: a match reaches over each cut.
  ByteVector data(60'000);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i % 300 * 7 + i / 30'000);
  for (size_t piece_bytes = 20'000; piece_bytes < 20'300; ++piece_bytes) {
    ASSERT_EQ(Inflated(InPieces(data, piece_bytes, 9), data.size()), data) << piece_bytes;
  }
}

TEST(DeflatePieceTest, BlocksWithinOneByteArePassed) {
  // Empty blocks of 10 bits: header and end of some are within a byte that was read before.
  const std::unique_ptr<z_stream, int (*)(z_stream*)> zlib(new z_stream(), [](z_stream* stream) {
    const int state = deflateEnd(stream);
    delete stream;
    return state;
  });
  ASSERT_EQ(deflateInit2(zlib.get(), 9, Z_DEFLATED, -15, 8, Z_FIXED), Z_OK);
  const ByteVector data = Mixed(400, 6);
  ByteVector stream(8000);
  zlib->next_out = stream.data();
  zlib->avail_out = static_cast<uInt>(stream.size());
  for (size_t at = 0; at < data.size(); ++at) {
    ByteVector byte = {data[at]};
    zlib->next_in = byte.data();
    zlib->avail_in = 1;
    const int flush = at + 1 == data.size() ? Z_FINISH : at % 3 == 0 ? Z_PARTIAL_FLUSH : Z_NO_FLUSH;
    ASSERT_GE(deflate(zlib.get(), flush), Z_OK);
  }
  stream.resize(zlib->total_out);
  for (size_t known = 0; known < data.size(); ++known) {
    const std::span<const uint8_t> piece(data.data() + known, data.size() - known);
    ByteVector out(DeflateBound(piece.size()));
    const auto made = TakeDeflatePiece(stream, known, piece, /*is_last=*/true, out);
    ASSERT_TRUE(made.ok()) << known << made.status().message();
    // After what is known, in a stored block.
    const auto size = static_cast<uint16_t>(known);
    ByteVector all = {0, static_cast<uint8_t>(size), static_cast<uint8_t>(size >> 8),
                      static_cast<uint8_t>(~size), static_cast<uint8_t>(~size >> 8)};
    all.insert(all.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(known));
    all.insert(all.end(), out.begin(), out.begin() + static_cast<ptrdiff_t>(made.value()));
    ASSERT_EQ(Inflated(all, data.size()), data) << known;
  }
}

TEST(DeflatePieceTest, APieceRefersToTheWindowBeforeIt) {
  // Two halves of the same noise: the second one is nothing but matches.
  ByteVector data = Mixed(90'000, 5);
  data.erase(data.begin(), data.begin() + 60'000);
  data.insert(data.end(), data.begin(), data.begin() + 30'000);
  const size_t both = InPieces(data, 30'000, 12).size();
  EXPECT_LT(both, 31'000u);
  EXPECT_LE(both, Whole(data, 12).size() + 600);
}

TEST(DeflatePieceTest, AStreamThatIsCutOrHasNoRoomIsRefused) {
  const ByteVector data = Mixed(5000, 4);
  const ByteVector stream = Whole(data, 6);
  const std::span<const uint8_t> half(stream.data(), stream.size() / 2);
  ByteVector out(DeflateBound(data.size()));
  EXPECT_FALSE(TakeDeflatePiece(half, 0, data, false, out).ok());
  EXPECT_FALSE(TakeDeflatePiece(stream, 6000, data, false, out).ok());
  EXPECT_FALSE(TakeDeflatePiece(stream, 0, data, false, std::span(out).first(stream.size())).ok());
  EXPECT_TRUE(TakeDeflatePiece(stream, 0, data, true, std::span(out).first(stream.size())).ok());
}

}  // namespace
}  // namespace pixpress
