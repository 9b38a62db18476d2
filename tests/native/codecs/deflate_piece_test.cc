#include "codecs/deflate_piece.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/stop_token.h"

namespace pixpress {
namespace {

using ByteVector = std::vector<uint8_t>;

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

// Empty where it is no stream of exactly `size` bytes.
ByteVector Inflated(const ByteVector& stream, size_t size) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  ByteVector data(size);
  const auto done = libdeflate_deflate_decompress(inflater.get(), stream.data(), stream.size(),
                                                  data.data(), size, nullptr);
  return done == LIBDEFLATE_SUCCESS ? data : ByteVector();
}

TEST(DeflatePieceTest, OpenedStreamsContinueInOthers) {
  for (const int level : {0, 1, 6, 9, 12}) {
    // Sizes around each other end their streams at every bit of a byte.
    for (size_t bytes = 1; bytes < 200'000; bytes = bytes * 2 + 1) {
      ByteVector all = Mixed(bytes, 1);
      ByteVector stream = Whole(all, level);
      const size_t whole_bytes = stream.size();
      stream.resize(whole_bytes + 5);
      const auto opened = OpenDeflateEnd(stream, whole_bytes);
      ASSERT_TRUE(opened.ok());
      EXPECT_GE(opened.value(), whole_bytes + 4);
      stream.resize(opened.value());
      EXPECT_TRUE(Inflated(stream, all.size()).empty()) << "it has an end";
      const ByteVector more = Mixed(3000, 2);
      const ByteVector end = Whole(more, level);
      stream.insert(stream.end(), end.begin(), end.end());
      all.insert(all.end(), more.begin(), more.end());
      EXPECT_EQ(Inflated(stream, all.size()), all) << bytes << " bytes, level " << level;
    }
  }
}

TEST(DeflatePieceTest, HuffmanPiecesContinueInOthers) {
  const ByteVector data = Mixed(300'000, 3);
  ByteVector stream(DeflateBound(data.size()));
  const auto first = DeflateHuffmanOnly(data, /*is_last=*/false, {}, stream);
  ASSERT_TRUE(first.ok());
  stream.resize(first.value());
  ByteVector end(DeflateBound(data.size()));
  const auto last = DeflateHuffmanOnly(data, /*is_last=*/true, {}, end);
  ASSERT_TRUE(last.ok());
  stream.insert(stream.end(), end.begin(), end.begin() + static_cast<ptrdiff_t>(last.value()));
  ByteVector both = data;
  both.insert(both.end(), data.begin(), data.end());
  EXPECT_EQ(Inflated(stream, both.size()), both);
}

TEST(DeflatePieceTest, AStreamThatIsCutOrHasNoRoomIsRefused) {
  const ByteVector data = Mixed(5000, 4);
  ByteVector stream = Whole(data, 6);
  const size_t bytes = stream.size();
  EXPECT_FALSE(OpenDeflateEnd(stream, bytes).ok());
  stream.resize(bytes + 5);
  EXPECT_FALSE(OpenDeflateEnd(stream, bytes / 2).ok());
}

}  // namespace
}  // namespace pixpress
