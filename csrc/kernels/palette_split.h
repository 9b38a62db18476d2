#pragma once
// Cluster weighted colors: split by variance, then k-means. Integers and doubles in a fixed order,
// so that the same colors always give the same centers.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "base/stop_token.h"
#include "kernels/palette_color.h"

namespace pixpress {

// Distinct colors and how many pixels have each; `counts` is as long as `colors`.
struct WeightedColors {
  std::vector<PaletteColor> colors;
  std::vector<uint32_t> counts;
};

// Up to `most` centers. Boxes are split one by one, always the one where a cut saves the most
// squared error, where it saves the most. Opaque and translucent colors never share a box if most
// >= 2.
std::vector<PaletteColor> SplitColors(WeightedColors colors, size_t most);

// Moves each center to the mean of the colors nearest to it; opaque centers stay opaque. One round
// of k-means. Returns the pixels of each center.
std::vector<uint64_t> RefineCenters(const WeightedColors& colors,
                                    std::vector<PaletteColor>* centers);

// The squared distance to the nearest center, summed over all pixels; `weights` (may be null) gets
// the pixels of each center. At most 256 centers.
uint64_t SquaredError(const WeightedColors& colors, const std::vector<PaletteColor>& centers,
                      std::vector<uint64_t>* weights);

}  // namespace pixpress
