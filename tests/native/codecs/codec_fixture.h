#pragma once
// A codec of interleaved pixels with its promises about memory checked each time.

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/codec.h"
#include "image/image.h"

namespace pixpress {

using ByteVector = std::vector<uint8_t>;

inline ByteVector Text(std::string_view text) { return ByteVector(text.begin(), text.end()); }

// Byte by byte: GCC 12 warns of ranges that it thinks are too long.
inline ByteVector operator+(ByteVector a, const ByteVector& b) {
  a.reserve(a.size() + b.size());
  for (const uint8_t byte : b) a.push_back(byte);
  return a;
}

class CodecTest : public testing::Test {
 protected:
  explicit CodecTest(const Codec& codec) : codec_(codec) {}

  Result<Image> Decode(Bytes bytes) {
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, codec_.probe(bytes, bytes.size(), limits_));
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    PIXPRESS_ASSIGN_OR_RETURN(auto source, codec_.decode(bytes, info, {}, limits_, context));
    EXPECT_LE(meter.peak_bytes(), codec_.decode_memory_bytes(info, {}));
    return CollectRows(*source, context_);
  }

  ByteVector Encode(const Image& image, const EncodeOptions& options = {},
                    const Metadata& metadata = {}) {
    auto source = MakeBorrowedSource(image.layout(), image.row(0, 0), image.stride_bytes(0), {});
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    ByteChain out(meter);
    const Status status = codec_.encode(*source, options, metadata, context, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), codec_.encode_memory_bytes(image.layout(), options));
    return Flat(out);
  }

  Result<ByteVector> Rewrite(Bytes bytes, MetadataPolicy policy) {
    ByteChain out(meter_);
    PIXPRESS_RETURN_IF_ERROR(codec_.rewrite(bytes, policy, limits_, context_, &out));
    return Flat(out);
  }

  StatusCode DecodeCode(Bytes bytes) { return Decode(bytes).status().code(); }

  // Samples of pixel (x, y), gray spread to RGB, opaque where there is no alpha, 8 or 16 bits.
  static std::array<uint32_t, 4> At(const Image& image, uint32_t x, uint32_t y) {
    const ImageLayout& layout = image.layout();
    const size_t channels = layout.planes[0].channels;
    std::array<uint32_t, 4> s = {};
    for (size_t c = 0; c < channels; ++c) {
      const uint8_t* row = image.row(0, y);
      const size_t i = x * channels + c;
      s[c] = layout.bits == 16 ? reinterpret_cast<const uint16_t*>(row)[i] : row[i];
    }
    const uint32_t opaque = layout.bits == 16 ? 65535 : 255;
    if (channels == 1) return {s[0], s[0], s[0], opaque};
    if (channels == 2) return {s[0], s[0], s[0], s[1]};
    if (channels == 3) return {s[0], s[1], s[2], opaque};
    return s;
  }
  static void ExpectSamePixels(const Image& a, const Image& b) {
    ASSERT_EQ(a.layout().width, b.layout().width);
    ASSERT_EQ(a.layout().height, b.layout().height);
    // A 16-bit image may have come back with 8 bits, each byte of it twice.
    const uint32_t scale_a = a.layout().bits < b.layout().bits ? 257 : 1;
    const uint32_t scale_b = b.layout().bits < a.layout().bits ? 257 : 1;
    for (uint32_t y = 0; y < a.layout().height; ++y) {
      for (uint32_t x = 0; x < a.layout().width; ++x) {
        for (size_t c = 0; c < 4; ++c) {
          ASSERT_EQ(At(a, x, y)[c] * scale_a, At(b, x, y)[c] * scale_b) << x << ", " << y;
        }
      }
    }
  }

  static ByteVector Flat(const ByteChain& chain) {
    ByteVector bytes(chain.size_bytes());
    chain.CopyTo(bytes.data());
    return bytes;
  }

  const Codec& codec_;
  BufferPool pool_{1 << 28};
  Meter meter_{pool_};
  SerialParallel parallel_;
  WorkContext context_{meter_, {}, parallel_};
  Limits limits_;
};

}  // namespace pixpress
