// Animated WebP of each blending and disposal, lossy and lossless; and a palette.

#include <webp/encode.h>

#include <cstdlib>

#include "container.h"
#include "seeds.h"

namespace pixpress {
namespace {

constexpr int kWidth = 38;
constexpr int kHeight = 22;

// Transparent, half transparent and opaque; of few colors or of many.
std::vector<uint8_t> Rgba(int frame, bool has_few_colors) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int value = has_few_colors ? (x / 5 + frame) % 4 * 60 : x * y + 3 * x + frame;
      for (const int c : {value, 2 * value, x < 20 ? 90 : value}) {
        pixels.push_back(static_cast<uint8_t>(c));
      }
      pixels.push_back(static_cast<uint8_t>((x + y + frame) / 4 % 4 * 85));
    }
  }
  return pixels;
}

std::vector<uint8_t> Still(int frame, bool is_lossless, bool has_few_colors) {
  const std::vector<uint8_t> pixels = Rgba(frame, has_few_colors);
  uint8_t* data = nullptr;
  const size_t size =
      is_lossless ? WebPEncodeLosslessRGBA(pixels.data(), kWidth, kHeight, 4 * kWidth, &data)
                  : WebPEncodeRGBA(pixels.data(), kWidth, kHeight, 4 * kWidth, 60, &data);
  if (size == 0) std::abort();
  std::vector<uint8_t> file(data, data + size);
  WebPFree(data);
  return file;
}

void PutLittle24(int value, FuzzInput* out) {
  for (int i = 0; i < 3; ++i) out->push_back(static_cast<uint8_t>(value >> 8 * i));
}

// A frame: the image of a file, a little further to the right each time.
Part FrameOf(const std::vector<uint8_t>& still, int frame) {
  Part part = {{'A', 'N', 'M', 'F'}, {}};
  for (const int value : {frame, frame, kWidth - 1, kHeight - 1, 70}) {
    PutLittle24(value, &part.data);
  }
  part.data.push_back(static_cast<uint8_t>(frame % 4));  // Blending and disposal.
  std::vector<Part> chunks = SplitParts(Container::kRiff, std::span(still).subspan(12));
  if (chunks[0].tag == FuzzInput{'V', 'P', '8', 'X'}) chunks.erase(chunks.begin());
  const FuzzInput image = JoinParts(Container::kRiff, chunks);
  part.data.insert(part.data.end(), image.begin(), image.end());
  return part;
}

std::vector<uint8_t> Animated(bool is_lossless) {
  constexpr int kFrames = 6;
  Part header = {{'V', 'P', '8', 'X'}, {0x12, 0, 0, 0}};  // Animated, with alpha.
  PutLittle24(kWidth + 2 * kFrames - 1, &header.data);
  PutLittle24(kHeight + 2 * kFrames - 1, &header.data);
  std::vector<Part> parts = {header, {{'A', 'N', 'I', 'M'}, {1, 2, 3, 4, 5, 0}}};
  for (int i = 0; i < kFrames; ++i) parts.push_back(FrameOf(Still(i, is_lossless, i % 2 == 1), i));
  std::vector<uint8_t> file = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'};
  const FuzzInput rest = JoinParts(Container::kRiff, parts);
  file.insert(file.end(), rest.begin(), rest.end());
  RepairFile(Container::kRiff, file, &file);
  return file;
}

}  // namespace

std::vector<Seed> PlainWebpSeeds() {
  return {{"webp of few colors", Still(0, true, true)},
          {"webp animated with blending", Animated(false)},
          {"webp animated with blending, lossless", Animated(true)}};
}

}  // namespace pixpress
