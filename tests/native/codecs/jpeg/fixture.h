#pragma once
// A picture, and the JPEG codec on it with its promises about memory and layout checked each time.

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "codecs/codec.h"
#include "codecs/jpeg/plain_jpeg.h"
#include "image/image.h"

namespace pixpress {

class JpegTest : public testing::Test {
 protected:
  Image Picture(const ImageLayout& layout) {
    Image image = Image::Create(layout, meter_).value();
    for (size_t p = 0; p < layout.plane_count; ++p) {
      for (uint32_t y = 0; y < layout.planes[p].height; ++y) {
        for (uint32_t x = 0; x < layout.row_bytes(p); ++x) {
          image.row(p, y)[x] =
              static_cast<uint8_t>(128 + 90 * std::sin(x * 0.11 + p) * std::cos(y * 0.07));
        }
      }
    }
    return image;
  }

  std::vector<uint8_t> Encode(const ImageLayout& layout, const EncodeOptions& options,
                              const Metadata& metadata = {}) {
    auto source = MakeImageSource(Picture(layout), {});
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    ByteChain out(meter);
    const Status status = kJpegCodec.encode(*source, options, metadata, context, &out);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), kJpegCodec.encode_memory_bytes(layout, options));
    return Flat(out);
  }

  Result<Image> Decode(Bytes bytes, const DecodeOptions& options = {}) {
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, kJpegCodec.probe(bytes, bytes.size(), limits_));
    Meter meter(pool_);
    WorkContext context{meter, context_.stop, parallel_};
    PIXPRESS_ASSIGN_OR_RETURN(auto source,
                              kJpegCodec.decode(bytes, info, options, limits_, context));
    EXPECT_LE(meter.peak_bytes(), kJpegCodec.decode_memory_bytes(info, options));
    EXPECT_EQ(source->layout().planes, kJpegCodec.decoded_layout(info, options).planes);
    return CollectRows(*source, context_);
  }

  // The codec and bare libjpeg agree on every sample.
  void ExpectDecodesAsPlain(Bytes jpeg, bool is_planar, uint8_t scale) {
    const Result<Image> image = Decode(jpeg, {.planar = is_planar, .scale_denominator = scale});
    ASSERT_TRUE(image.ok()) << image.status().message();
    EXPECT_TRUE(Flat(image.value()) == PlainDecode(jpeg, is_planar, scale))
        << "scale " << int{scale} << (is_planar ? " planar" : " pixels");
  }
  // As pixels and as planes, at every scale.
  void ExpectDecodesAsPlain(Bytes jpeg) {
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    for (const uint8_t scale : {1, 2, 4, 8}) {
      ExpectDecodesAsPlain(jpeg, false, scale);
      if (info.planar.plane_count > 0) ExpectDecodesAsPlain(jpeg, true, scale);
    }
  }

  Result<std::vector<uint8_t>> Rewrite(Bytes jpeg, MetadataPolicy policy) {
    ByteChain out(meter_);
    PIXPRESS_RETURN_IF_ERROR(kJpegCodec.rewrite(jpeg, policy, limits_, context_, &out));
    return Flat(out);
  }

  static std::vector<uint8_t> Flat(const ByteChain& chain) {
    std::vector<uint8_t> bytes(chain.size_bytes());
    chain.CopyTo(bytes.data());
    return bytes;
  }
  static PlainPlanes Flat(const Image& image) {
    PlainPlanes planes(image.layout().plane_count);
    for (size_t p = 0; p < planes.size(); ++p) {
      const size_t row_bytes = image.layout().row_bytes(p);
      for (uint32_t y = 0; y < image.layout().planes[p].height; ++y) {
        planes[p].insert(planes[p].end(), image.row(p, y), image.row(p, y) + row_bytes);
      }
    }
    return planes;
  }
  static double Psnr(const Image& a, const Image& b) {
    double sum = 0, count = 0;
    for (size_t p = 0; p < a.layout().plane_count; ++p) {
      for (uint32_t y = 0; y < a.layout().planes[p].height; ++y) {
        for (size_t x = 0; x < a.layout().row_bytes(p); ++x, ++count) {
          sum += std::pow(a.row(p, y)[x] - b.row(p, y)[x], 2);
        }
      }
    }
    return sum == 0 ? 99 : 10 * std::log10(255 * 255 * count / sum);
  }

  BufferPool pool_{1 << 28};
  Meter meter_{pool_};
  SerialParallel parallel_;
  WorkContext context_{meter_, {}, parallel_};
  Limits limits_;
};

}  // namespace pixpress
