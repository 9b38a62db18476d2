#include "pipeline/step_orient.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "image/image.h"

namespace pixpress {
namespace {

// Output row y, column x comes from source row (swaps ? x : y), column (swaps ? y : x), counted
// from the far end where reversed.
struct Turn {
  bool swaps_sides;
  bool reverses_x;  // Of the source.
  bool reverses_y;
};

constexpr Turn kTurns[9] = {
    {false, false, false}, {false, false, false}, {false, true, false},
    {false, true, true},   {false, false, true},  {true, false, false},
    {true, false, true},   {true, true, true},    {true, true, false},
};

// Squares of this side keep source and target lines in the L1 cache while a plane is transposed.
constexpr uint32_t kTile = 32;

template <size_t kPixelBytes>
void CopyPixels(const Image& from, size_t plane, const Turn& turn, Image* to) {
  const PlaneLayout& out = to->layout().planes[plane];
  const PlaneLayout& in = from.layout().planes[plane];
  const auto copy_tile = [&](uint32_t x0, uint32_t y0) {
    for (uint32_t y = y0; y < std::min(out.height, y0 + kTile); ++y) {
      uint8_t* target = to->row(plane, y);
      for (uint32_t x = x0; x < std::min(out.width, x0 + kTile); ++x) {
        uint32_t source_x = turn.swaps_sides ? y : x;
        uint32_t source_y = turn.swaps_sides ? x : y;
        if (turn.reverses_x) source_x = in.width - 1 - source_x;
        if (turn.reverses_y) source_y = in.height - 1 - source_y;
        std::memcpy(target + x * kPixelBytes, from.row(plane, source_y) + source_x * kPixelBytes,
                    kPixelBytes);
      }
    }
  };
  for (uint32_t y0 = 0; y0 < out.height; y0 += kTile) {
    for (uint32_t x0 = 0; x0 < out.width; x0 += kTile) copy_tile(x0, y0);
  }
}

void TurnPlane(const Image& from, size_t plane, const Turn& turn, Image* to) {
  const ImageLayout& layout = from.layout();
  switch (layout.planes[plane].channels * layout.bytes_per_sample()) {
    case 1:
      return CopyPixels<1>(from, plane, turn, to);
    case 2:
      return CopyPixels<2>(from, plane, turn, to);
    case 3:
      return CopyPixels<3>(from, plane, turn, to);
    case 4:
      return CopyPixels<4>(from, plane, turn, to);
    case 6:
      return CopyPixels<6>(from, plane, turn, to);
    default:
      return CopyPixels<8>(from, plane, turn, to);
  }
}

}  // namespace

Result<std::unique_ptr<RowSource>> MakeOrientStep(std::unique_ptr<RowSource> source,
                                                  uint8_t orientation, ImageLayout out,
                                                  const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Image from, CollectRows(*source, context));
  PIXPRESS_ASSIGN_OR_RETURN(Image to, Image::Create(std::move(out), context.meter));
  for (size_t plane = 0; plane < from.layout().plane_count; ++plane) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    TurnPlane(from, plane, kTurns[orientation], &to);
  }
  return MakeImageSource(std::move(to), context.stop);
}

uint64_t OrientMemoryBytes(const ImageLayout& in) {
  return SaturatingMul(2, Image::MemoryBytes(in));
}

}  // namespace pixpress
