#pragma once
// The blocks of a GIF file around the image data.

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/status.h"
#include "codecs/canvas_difference.h"
#include "codecs/gif/blocks.h"
#include "image/metadata.h"
#include "image/pixel_format.h"
#include "memory/byte_chain.h"

namespace pixpress {

// Colors with an alpha of less than this are transparent in GIF; half of 256, see GifColor.
inline constexpr uint8_t kGifOpaque = 128;

// XMP lies in its extension as it is, followed by the bytes 1, 255, 254 to 0, 0, which lead any
// reader of sub-blocks out of it.
inline constexpr size_t kGifXmpTailBytes = 258;

// Color, all transparent ones alike: what tells two pixels of a GIF apart.
// Red is the lowest byte, and what is not transparent has 255 in the highest.
inline uint32_t GifColor(const uint8_t* rgba) {
  static_assert(std::endian::native == std::endian::little);
  uint32_t color;
  std::memcpy(&color, rgba, sizeof(color));
  // The highest bit of alpha, everywhere: without a branch, so that whole rows are quick.
  return (color | 0xFF000000) & (0u - (color >> 31));
}

// kOption: what GIF cannot hold.
inline Status PartlyTransparent() {
  return Status(StatusCode::kOption,
                "lossless is not possible: GIF cannot hold pixels that are partly transparent");
}

// The bits of a palette of so many colors: 1 to 8.
uint8_t GifTableBits(size_t colors);

// Screen, global table (none if `colors` is empty), loop count and metadata.
std::vector<uint8_t> MakeGifHeader(uint32_t width, uint32_t height,
                                   std::span<const uint32_t> colors, uint32_t loop_count,
                                   const Metadata& metadata);
// What MakeGifHeader makes at most.
uint64_t GifHeaderBytes(const Metadata& metadata);

// The graphic control extension.
Status AppendGifControl(GifDisposal disposal, uint16_t delay, int transparent, ByteChain* out);
// The descriptor, and a local table unless `colors` is empty. Image data follows.
Status AppendGifImage(const CanvasPlace& place, std::span<const uint32_t> colors, ByteChain* out);
Status AppendGifTrailer(ByteChain* out);

}  // namespace pixpress
