#pragma once
// Planes that an orientation turns. Pure functions.

#include <cstdint>

#include "image/pixel_format.h"

namespace pixpress {

constexpr bool SwapsSides(uint8_t orientation) { return orientation >= 5; }
ImageLayout Turned(const ImageLayout& layout, uint8_t orientation);
// Mirroring planes whose last chroma sample covers less than a whole cell would shift chroma.
bool PlanesTurnExactly(const ImageLayout& planar);
// Have all planes the same sides?
bool SamePlanes(const ImageLayout& a, const ImageLayout& b);

}  // namespace pixpress
