#pragma once
// What a quality is for AV1: fewer levels than there are qualities.

namespace pixpress {

inline constexpr int kWorstAvifQuantizer = 63;

// 0, which is the best one, at quality 100.
constexpr int AvifQuantizer(int quality) {
  return ((100 - quality) * kWorstAvifQuantizer + 50) / 100;
}

}  // namespace pixpress
