#include "kernels/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// A color and how many pixels have it. Transparent pixels count as one color whatever they hide.
struct Weighted {
  std::array<int, 4> c;  // r, g, b premultiplied, and alpha
  uint32_t count;
};

// How visible a difference in each channel is: luma's weights, and alpha like green.
constexpr std::array<int, 4> kImportance = {2, 4, 1, 4};
// Beyond this many distinct colors the low bits are dropped, so that the histogram stays small.
constexpr size_t kMostEntries = 1u << 17;

Rgba PixelAt(const uint8_t* pixel, uint8_t channels) {
  Rgba color{pixel[0], pixel[1], pixel[2], channels == 4 ? pixel[3] : uint8_t{255}};
  if (color.a == 0) color = {0, 0, 0, 0};
  return color;
}

uint32_t Pack(Rgba color) {
  return color.r | color.g << 8 | color.b << 16 | uint32_t{color.a} << 24;
}

Rgba Unpack(uint32_t key) {
  return {static_cast<uint8_t>(key), static_cast<uint8_t>(key >> 8),
          static_cast<uint8_t>(key >> 16), static_cast<uint8_t>(key >> 24)};
}

std::array<int, 4> Premultiply(Rgba color) {
  return {color.r * color.a / 255, color.g * color.a / 255, color.b * color.a / 255, color.a};
}

int Distance(const std::array<int, 4>& a, const std::array<int, 4>& b) {
  int sum = 0;
  for (size_t i = 0; i < 4; ++i) sum += kImportance[i] * (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

using Histogram = std::unordered_map<uint32_t, uint32_t>;

Result<Histogram> CountColors(const PixelView& pixels, const WorkContext& context) {
  Histogram histogram;
  uint32_t mask = 0xFFFFFFFF;
  for (uint32_t y = 0; y < pixels.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const uint8_t* row = pixels.data + y * pixels.stride_bytes;
    for (uint32_t x = 0; x < pixels.width; ++x) {
      ++histogram[Pack(PixelAt(row + x * pixels.channels, pixels.channels)) & mask];
    }
    if (histogram.size() <= kMostEntries || mask != 0xFFFFFFFF) continue;
    mask = 0xF8F8F8F8;
    Histogram coarse;
    for (const auto& [key, count] : histogram) coarse[key & mask] += count;
    histogram = std::move(coarse);
  }
  return histogram;
}

// A set of colors that one palette entry stands for.
struct Box {
  size_t begin;
  size_t end;
  size_t axis;
  double spread;  // Weighted squared error along `axis`.
};

Box MakeBox(const std::vector<Weighted>& colors, size_t begin, size_t end) {
  Box box{begin, end, 0, 0.0};
  for (size_t axis = 0; axis < 4; ++axis) {
    double sum = 0, squares = 0, count = 0;
    for (size_t i = begin; i < end; ++i) {
      const double value = colors[i].c[axis];
      sum += value * colors[i].count;
      squares += value * value * colors[i].count;
      count += colors[i].count;
    }
    const double spread = (squares - sum * sum / count) * kImportance[axis];
    if (spread > box.spread) {
      box.spread = spread;
      box.axis = axis;
    }
  }
  return box;
}

std::array<int, 4> Mean(const std::vector<Weighted>& colors, size_t begin, size_t end) {
  std::array<double, 4> sum = {};
  double count = 0;
  for (size_t i = begin; i < end; ++i) {
    for (size_t c = 0; c < 4; ++c) sum[c] += double{1} * colors[i].c[c] * colors[i].count;
    count += colors[i].count;
  }
  std::array<int, 4> mean;
  for (size_t c = 0; c < 4; ++c) mean[c] = static_cast<int>(std::lround(sum[c] / count));
  return mean;
}

// Split the box of the largest spread at its weighted mean until there are enough.
std::vector<std::array<int, 4>> SplitColors(std::vector<Weighted>& colors, size_t most) {
  std::vector<Box> boxes = {MakeBox(colors, 0, colors.size())};
  while (boxes.size() < most) {
    const auto widest = std::max_element(
        boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.spread < b.spread; });
    if (widest->spread <= 0.0) break;
    const Box box = *widest;
    const int pivot = Mean(colors, box.begin, box.end)[box.axis];
    const auto first = colors.begin();
    const auto middle = std::partition(
        first + static_cast<ptrdiff_t>(box.begin), first + static_cast<ptrdiff_t>(box.end),
        [&](const Weighted& color) { return color.c[box.axis] <= pivot; });
    const size_t split = static_cast<size_t>(middle - first);
    if (split == box.begin || split == box.end) {
      widest->spread = 0.0;
      continue;
    }
    *widest = MakeBox(colors, box.begin, split);
    boxes.push_back(MakeBox(colors, split, box.end));
  }
  std::vector<std::array<int, 4>> centers;
  for (const Box& box : boxes) centers.push_back(Mean(colors, box.begin, box.end));
  return centers;
}

size_t Nearest(const std::vector<std::array<int, 4>>& centers, const std::array<int, 4>& color) {
  size_t best = 0;
  int least = Distance(centers[0], color);
  for (size_t i = 1; i < centers.size(); ++i) {
    const int distance = Distance(centers[i], color);
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

// One round of k-means; returns the mean error and leaves each center's weight in `weights`.
double Refine(const std::vector<Weighted>& colors, std::vector<std::array<int, 4>>& centers,
              std::vector<uint64_t>& weights) {
  std::vector<std::array<double, 4>> sums(centers.size());
  weights.assign(centers.size(), 0);
  double error = 0, total = 0;
  for (const Weighted& color : colors) {
    const size_t nearest = Nearest(centers, color.c);
    error += double{1} * Distance(centers[nearest], color.c) * color.count;
    total += color.count;
    weights[nearest] += color.count;
    for (size_t c = 0; c < 4; ++c) sums[nearest][c] += double{1} * color.c[c] * color.count;
  }
  for (size_t i = 0; i < centers.size(); ++i) {
    if (weights[i] == 0) continue;
    for (size_t c = 0; c < 4; ++c) {
      centers[i][c] = static_cast<int>(std::lround(sums[i][c] / static_cast<double>(weights[i])));
    }
  }
  return error / total;
}

Rgba Straight(const std::array<int, 4>& c) {
  const auto straight = [&](int value) {
    return static_cast<uint8_t>(c[3] == 0 ? 0 : std::min(255, (value * 255 + c[3] / 2) / c[3]));
  };
  return {straight(c[0]), straight(c[1]), straight(c[2]), static_cast<uint8_t>(c[3])};
}

// The mean weighted error that a quality allows: 0 at 100, about what 16 colors give at 1.
double AllowedError(int quality) {
  const double miss = (100 - quality) / 100.0;
  return 11.0 * 900.0 * miss * miss / 10.0;
}

struct Choice {
  std::vector<std::array<int, 4>> centers;
  std::vector<uint64_t> weights;
  double error = 0.0;
};

Choice ChooseCenters(std::vector<Weighted> colors, size_t most, int effort) {
  Choice choice;
  choice.centers = SplitColors(colors, most);
  for (int round = 0; round < 1 + effort; ++round) {
    choice.error = Refine(colors, choice.centers, choice.weights);
  }
  return choice;
}

std::vector<Rgba> MostUsedFirst(const Choice& choice) {
  std::vector<std::pair<uint64_t, Rgba>> ranked;
  for (size_t i = 0; i < choice.centers.size(); ++i) {
    if (choice.weights[i] > 0) ranked.emplace_back(choice.weights[i], Straight(choice.centers[i]));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Rgba> palette;
  for (const auto& [weight, color] : ranked) palette.push_back(color);
  return palette;
}

}  // namespace

Result<std::vector<Rgba>> ChoosePalette(const PixelView& pixels, const PaletteOptions& options,
                                        const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(const Histogram histogram, CountColors(pixels, context));
  // Sorted: the order of a hash table is nobody's promise.
  std::vector<std::pair<uint32_t, uint32_t>> entries(histogram.begin(), histogram.end());
  std::sort(entries.begin(), entries.end());
  if (entries.size() <= options.max_colors) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<Rgba> palette;
    for (const auto& [key, count] : entries) palette.push_back(Unpack(key));
    return palette;
  }
  std::vector<Weighted> colors;
  for (const auto& [key, count] : entries) colors.push_back({Premultiply(Unpack(key)), count});
  Choice best = ChooseCenters(colors, options.max_colors, options.effort);
  if (!options.min_quality.has_value()) return MostUsedFirst(best);
  const double allowed = AllowedError(*options.min_quality);
  if (best.error > allowed) {
    return Status(StatusCode::kOption, std::to_string(options.max_colors) +
                                           " colors cannot reach min_quality " +
                                           std::to_string(*options.min_quality));
  }
  size_t low = 2, high = options.max_colors;
  while (low < high) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const size_t middle = (low + high) / 2;
    Choice fewer = ChooseCenters(colors, middle, options.effort);
    if (fewer.error <= allowed) {
      best = std::move(fewer);
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return MostUsedFirst(best);
}

Status MapToPalette(const PixelView& pixels, const std::vector<Rgba>& palette,
                    const PaletteOptions& options, const WorkContext& context, uint8_t* indices,
                    size_t indices_stride_bytes) {
  std::vector<std::array<int, 4>> centers;
  for (const Rgba& color : palette) centers.push_back(Premultiply(color));
  std::unordered_map<uint32_t, uint8_t> known;
  const size_t width = pixels.width;
  // Errors of this row and the next in 1/16, with a pixel of margin at both ends.
  std::vector<std::array<int, 4>> now(width + 2), next(width + 2);
  const int strength = static_cast<int>(std::lround(std::clamp(options.dither, 0.0f, 1.0f) * 16));
  for (uint32_t y = 0; y < pixels.height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const bool backwards = y % 2 != 0;
    const int step = backwards ? -1 : 1;
    std::fill(next.begin(), next.end(), std::array<int, 4>{});
    for (size_t i = 0; i < width; ++i) {
      const size_t x = backwards ? width - 1 - i : i;
      const uint8_t* at = pixels.data + y * pixels.stride_bytes + x * pixels.channels;
      std::array<int, 4> wanted = Premultiply(PixelAt(at, pixels.channels));
      for (size_t c = 0; c < 4; ++c) {
        wanted[c] = std::clamp(wanted[c] + now[x + 1][c] * strength / 256, 0, 255);
      }
      const uint32_t key = Pack({static_cast<uint8_t>(wanted[0]), static_cast<uint8_t>(wanted[1]),
                                 static_cast<uint8_t>(wanted[2]), static_cast<uint8_t>(wanted[3])});
      const auto [entry, is_new] = known.try_emplace(key, uint8_t{0});
      if (is_new) entry->second = static_cast<uint8_t>(Nearest(centers, wanted));
      indices[y * indices_stride_bytes + x] = entry->second;
      // Floyd and Steinberg (1976): 7, 3, 5 and 1 sixteenths.
      const std::array<int, 4>& got = centers[entry->second];
      for (size_t c = 0; c < 4; ++c) {
        const int error = wanted[c] - got[c];
        now[x + 1 + step][c] += error * 7;
        next[x + 1 - step][c] += error * 3;
        next[x + 1][c] += error * 5;
        next[x + 1 + step][c] += error;
      }
    }
    std::swap(now, next);
    if (known.size() > kMostEntries) known.clear();
  }
  return Status();
}

uint64_t PaletteMemoryBytes(uint32_t width, uint32_t height) {
  const uint64_t pixels = SaturatingMul(width, height);
  // Hash nodes of 32 bytes with their table, and the sorted copies.
  return SaturatingAdd(std::min<uint64_t>(pixels, 2 * kMostEntries) * 120, uint64_t{width} * 64);
}

}  // namespace pixpress
