#pragma once
// PNG files written chunk by chunk with plain zlib.

#include <zlib.h>

#include <string>
#include <string_view>

#include "codecs/codec_fixture.h"

namespace pixpress {

inline void AppendBig32(uint32_t value, ByteVector* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<uint8_t>(value >> shift));
}

inline ByteVector PlainChunk(std::string_view type, const ByteVector& data) {
  ByteVector chunk;
  AppendBig32(static_cast<uint32_t>(data.size()), &chunk);
  chunk = chunk + Text(type) + data;
  AppendBig32(static_cast<uint32_t>(crc32(0, chunk.data() + 4, static_cast<uInt>(data.size() + 4))),
              &chunk);
  return chunk;
}

inline ByteVector PlainDeflate(const ByteVector& data) {
  uLongf bytes = compressBound(data.size());
  ByteVector out(bytes);
  compress2(out.data(), &bytes, data.data(), data.size(), 6);
  out.resize(bytes);
  return out;
}

inline const ByteVector kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

inline ByteVector PlainHeader(uint32_t width, uint32_t height, uint8_t depth, uint8_t type,
                              uint8_t interlace = 0) {
  ByteVector data;
  AppendBig32(width, &data);
  AppendBig32(height, &data);
  return PlainChunk("IHDR", data + ByteVector{depth, type, 0, 0, interlace});
}

// The chunks of a file, as "IHDR PLTE IDAT IEND", and the data of one.
inline std::string ChunkTypes(const ByteVector& png) {
  std::string types;
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t length =
        size_t{png[at]} << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (!types.empty()) types += ' ';
    types.append(png.begin() + at + 4, png.begin() + at + 8);
    at += 12 + length;
  }
  return types;
}

inline ByteVector ChunkData(const ByteVector& png, std::string_view type) {
  ByteVector data;
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t length =
        size_t{png[at]} << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (std::string(png.begin() + at + 4, png.begin() + at + 8) == type) {
      data.insert(data.end(), png.begin() + at + 8, png.begin() + at + 8 + length);
    }
    at += 12 + length;
  }
  return data;
}

class PngTest : public CodecTest {
 protected:
  PngTest() : CodecTest(kPngCodec) {}

  // `fill(x, y, c)` gives the sample of channel c.
  template <typename Fill>
  Image Make(const ImageLayout& layout, const Fill& fill) {
    Image image = Image::Create(layout, meter_).value();
    const size_t channels = layout.planes[0].channels;
    for (uint32_t y = 0; y < layout.height; ++y) {
      for (uint32_t i = 0; i < layout.width * channels; ++i) {
        const uint32_t sample =
            fill(i / static_cast<uint32_t>(channels), y, i % static_cast<uint32_t>(channels));
        if (layout.bits == 16) {
          reinterpret_cast<uint16_t*>(image.row(0, y))[i] = static_cast<uint16_t>(sample);
        } else {
          image.row(0, y)[i] = static_cast<uint8_t>(sample);
        }
      }
    }
    return image;
  }
};

}  // namespace pixpress
