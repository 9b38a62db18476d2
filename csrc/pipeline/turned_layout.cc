#include "pipeline/turned_layout.h"

#include <algorithm>
#include <utility>

namespace pixpress {

ImageLayout Turned(const ImageLayout& layout, uint8_t orientation) {
  if (!SwapsSides(orientation)) return layout;
  ImageLayout turned = layout;
  std::swap(turned.width, turned.height);
  for (size_t p = 0; p < turned.plane_count; ++p) {
    std::swap(turned.planes[p].width, turned.planes[p].height);
    std::swap(turned.planes[p].h_samples, turned.planes[p].v_samples);
  }
  return turned;
}

bool PlanesTurnExactly(const ImageLayout& planar) {
  return planar.width % planar.max_h_samples() == 0 && planar.height % planar.max_v_samples() == 0;
}

bool SamePlanes(const ImageLayout& a, const ImageLayout& b) {
  if (a.plane_count != b.plane_count) return false;
  return std::equal(a.planes.begin(), a.planes.begin() + a.plane_count, b.planes.begin(),
                    [](const PlaneLayout& x, const PlaneLayout& y) {
                      return x.width == y.width && x.height == y.height;
                    });
}

}  // namespace pixpress
