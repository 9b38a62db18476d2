// GIF with what our own encoder avoids: every disposal, interlace, local colors, frames over the
// edge.

#include "codecs/gif/bytes.h"
#include "seeds.h"

namespace pixpress {
namespace {

constexpr int kInterlaced = 0x40;
constexpr int kLocalColors = 0x81;  // Four of them.

std::vector<uint8_t> Indices(int count) {
  std::vector<uint8_t> indices;
  for (int i = 0; i < count; ++i) {
    indices.push_back(static_cast<uint8_t>((i / 7 + i * i / 50) % 4));
  }
  return indices;
}

GifBytes& AddColors(GifBytes& gif) {
  return gif.Raw({9, 9, 9, 99, 0, 99, 200, 100, 0, 255, 255, 255});
}

}  // namespace

std::vector<Seed> PlainGifSeeds() {
  std::vector<Seed> seeds;
  for (int disposal = 0; disposal < 4; ++disposal) {
    GifBytes gif(40, 30, 1);
    gif.Loop(3).Control(disposal, 5).Frame(0, 0, 40, 30, 2);
    gif.Control(disposal, 7, 3).Descriptor(5, 6, 20, 11).Pixels(Indices(20 * 11));
    gif.Control(disposal, 0).Descriptor(10, 3, 9, 13, kLocalColors);
    AddColors(gif).Pixels(Indices(9 * 13));
    gif.Control(disposal, 9, 0).Frame(30, 20, 10, 10, 1);
    seeds.push_back({"gif of disposal " + std::to_string(disposal), gif.End()});
  }
  GifBytes interlaced(29, 23);
  interlaced.Control(0, 0, 1).Descriptor(0, 0, 29, 23, kInterlaced).Pixels(Indices(29 * 23));
  seeds.push_back({"gif interlaced", interlaced.End()});
  GifBytes local(29, 23);
  local.Descriptor(3, 2, 20, 20, kInterlaced | kLocalColors);
  AddColors(local).Pixels(Indices(400));
  seeds.push_back({"gif of local colors", local.End()});
  GifBytes outside(20, 20);
  outside.Text("!\xFE").Byte(3).Text("abc").Byte(0).Descriptor(12, 12, 20, 20);
  outside.Pixels(Indices(400)).Control(2, 3).Frame(25, 0, 8, 8, 1);
  seeds.push_back({"gif with frames over the edge", outside.End()});
  return seeds;
}

}  // namespace pixpress
