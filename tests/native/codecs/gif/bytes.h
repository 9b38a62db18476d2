#pragma once
// GIF files put together block by block.

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "codecs/gif/lzw_encoder.h"

namespace pixpress {

// Writes a GIF by hand. The global table is red, green, blue, white.
class GifBytes {
 public:
  GifBytes(uint16_t width, uint16_t height, uint8_t background = 0) {
    Text("GIF89a").Word(width).Word(height).Byte(0x81).Byte(background).Byte(0);
    Raw({255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255});
  }
  GifBytes& Byte(int value) {
    bytes_.push_back(static_cast<uint8_t>(value));
    return *this;
  }
  GifBytes& Word(int value) { return Byte(value & 255).Byte(value >> 8); }
  GifBytes& Text(std::string_view text) {
    for (const char c : text) Byte(static_cast<uint8_t>(c));
    return *this;
  }
  GifBytes& Raw(std::initializer_list<int> values) {
    for (const int value : values) Byte(value);
    return *this;
  }
  GifBytes& Control(int disposal, int delay, int transparent = -1) {
    return Raw({0x21, 0xF9, 4, disposal << 2 | (transparent >= 0 ? 1 : 0)})
        .Word(delay)
        .Raw({transparent >= 0 ? transparent : 0, 0});
  }
  GifBytes& Descriptor(int x, int y, int width, int height, int flags = 0) {
    return Byte(0x2C).Word(x).Word(y).Word(width).Word(height).Byte(flags);
  }
  // Code size and sub-blocks of these indices, each less than 4.
  GifBytes& Pixels(const std::vector<uint8_t>& indices) {
    BufferPool pool(1 << 20);
    Meter meter(pool);
    ByteChain data(meter);
    GifLzwEncoder encoder = GifLzwEncoder::Create(meter).value();
    const bool is_written =
        encoder.Start(2, &data).ok() && encoder.Write(indices).ok() && encoder.Finish().ok();
    if (!is_written) std::abort();
    for (const auto& chunk : data.chunks()) {
      bytes_.insert(bytes_.end(), chunk.begin(), chunk.end());
    }
    return *this;
  }
  // A frame of one color.
  GifBytes& Frame(int x, int y, int width, int height, uint8_t index) {
    return Descriptor(x, y, width, height)
        .Pixels(std::vector<uint8_t>(static_cast<size_t>(width) * height, index));
  }
  GifBytes& Loop(int repeat) {
    return Raw({0x21, 0xFF, 11}).Text("NETSCAPE2.0").Raw({3, 1}).Word(repeat).Byte(0);
  }
  std::vector<uint8_t> End() { return Byte(0x3B).bytes_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace pixpress
