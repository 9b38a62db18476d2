// PNG of every color type and depth, interlaced or not, with and without tRNS, and animated of each
// color type, blending and disposal.

#include <png.h>

#include <array>
#include <cstdlib>

#include "container.h"
#include "seeds.h"

namespace pixpress {
namespace {

constexpr uint32_t kWidth = 37;
constexpr uint32_t kHeight = 21;

struct PngKind {
  const char* name;
  int color_type;
  std::array<int, 5> depths;  // Up to the first 0.
  bool may_be_transparent;    // By tRNS.
};

constexpr std::array<PngKind, 5> kKinds = {
    {{"gray", PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}, true},
     {"palette", PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8, 0}, true},
     {"RGB", PNG_COLOR_TYPE_RGB, {8, 16, 0}, true},
     {"gray with alpha", PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16, 0}, false},
     {"RGBA", PNG_COLOR_TYPE_RGB_ALPHA, {8, 16, 0}, false}}};

void Append(png_structp png, png_bytep data, size_t length) {
  auto* out = static_cast<std::vector<uint8_t>*>(png_get_io_ptr(png));
  out->insert(out->end(), data, data + length);
}

[[noreturn]] void Fail(png_structp, png_const_charp) { std::abort(); }

void SetColors(png_structp png, png_infop info, int depth, bool is_transparent) {
  std::array<png_color, 256> colors;
  std::array<png_byte, 256> alpha;
  for (size_t i = 0; i < colors.size(); ++i) {
    const auto value = static_cast<png_byte>(i * 37);
    colors[i] = {value, static_cast<png_byte>(255 - value), static_cast<png_byte>(i)};
    alpha[i] = value;
  }
  const int count = 1 << depth;
  png_set_PLTE(png, info, colors.data(), count);
  if (is_transparent) png_set_tRNS(png, info, alpha.data(), (count + 1) / 2, nullptr);
}

std::vector<uint8_t> WritePng(int color_type, int depth, bool is_interlaced, bool is_transparent) {
  std::vector<uint8_t> file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, Fail, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, Append, nullptr);
  png_set_IHDR(png, info, kWidth, kHeight, depth, color_type,
               is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (color_type == PNG_COLOR_TYPE_PALETTE) {
    SetColors(png, info, depth, is_transparent);
  } else if (is_transparent) {
    png_color_16 clear = {0, 0, 0, 0, 0};
    png_set_tRNS(png, info, nullptr, 0, &clear);
  }
  png_write_info(png, info);
  png_set_filter(png, 0, PNG_ALL_FILTERS);
  std::vector<std::vector<png_byte>> rows(kHeight);
  std::vector<png_bytep> pointers;
  for (size_t y = 0; y < kHeight; ++y) {
    rows[y].resize(png_get_rowbytes(png, info));
    for (size_t i = 0; i < rows[y].size(); ++i) {
      rows[y][i] = static_cast<png_byte>(i < 20 ? 3 * i + 5 * y : i * y * y);
    }
    pointers.push_back(rows[y].data());
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

void PutBig(uint32_t value, size_t bytes, FuzzInput* out) {
  for (size_t i = bytes; i-- > 0;) out->push_back(static_cast<uint8_t>(value >> 8 * i));
}

// The image of a file in frame after frame, by each blending and disposal.
std::vector<uint8_t> Animated(const std::vector<uint8_t>& still) {
  constexpr uint32_t kFrames = 6;
  std::vector<Part> parts;
  Part count = {{'a', 'c', 'T', 'L'}, {}};
  PutBig(kFrames, 4, &count.data);
  PutBig(2, 4, &count.data);
  uint32_t sequence = 0;
  for (Part& part : SplitParts(Container::kPng, std::span(still).subspan(8))) {
    if (part.tag != FuzzInput{'I', 'D', 'A', 'T'}) {
      parts.push_back(std::move(part));
      if (parts.size() == 1) parts.push_back(count);
      continue;
    }
    for (uint32_t frame = 0; frame < kFrames; ++frame) {
      Part control = {{'f', 'c', 'T', 'L'}, {}};
      for (const uint32_t value : {sequence++, kWidth, kHeight, 0u, 0u}) {
        PutBig(value, 4, &control.data);
      }
      for (const uint32_t value : {7u, 100u}) PutBig(value, 2, &control.data);
      control.data.push_back(static_cast<uint8_t>(frame % 3));
      control.data.push_back(frame % 2);
      parts.push_back(std::move(control));
      Part data = part;
      if (frame > 0) {
        data = {{'f', 'd', 'A', 'T'}, {}};
        PutBig(sequence++, 4, &data.data);
        data.data.insert(data.data.end(), part.data.begin(), part.data.end());
      }
      parts.push_back(std::move(data));
    }
  }
  std::vector<uint8_t> file(still.begin(), still.begin() + 8);
  const FuzzInput rest = JoinParts(Container::kPng, parts);
  file.insert(file.end(), rest.begin(), rest.end());
  return file;
}

}  // namespace

std::vector<Seed> PlainPngSeeds() {
  std::vector<Seed> seeds;
  for (const PngKind& kind : kKinds) {
    for (size_t i = 0; i < kind.depths.size() && kind.depths[i] != 0; ++i) {
      const int depth = kind.depths[i];
      const std::string name = std::string(kind.name) + " of " + std::to_string(depth) + " bits";
      for (const bool is_interlaced : {false, true}) {
        for (const bool is_transparent : {false, true}) {
          if (is_transparent && !kind.may_be_transparent) continue;
          seeds.push_back({"png " + name + (is_interlaced ? ", interlaced" : "") +
                               (is_transparent ? ", tRNS" : ""),
                           WritePng(kind.color_type, depth, is_interlaced, is_transparent)});
        }
      }
      if (depth < 4) continue;
      seeds.push_back({"png animated " + name,
                       Animated(WritePng(kind.color_type, depth, false, kind.may_be_transparent))});
    }
  }
  return seeds;
}

}  // namespace pixpress
