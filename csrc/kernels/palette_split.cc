#include "kernels/palette_split.h"

#include <algorithm>
#include <utility>

#include "kernels/palette_search.h"

namespace pixpress {
namespace {

constexpr size_t kCoordinates = kMostCoordinate + 1;
constexpr size_t kBatch = 256;

// Pixels and the sum of their coordinates.
struct Moment {
  uint64_t count = 0;
  uint64_t sum = 0;
  void Add(const Moment& other) {
    count += other.count;
    sum += other.sum;
  }
  double squared_mean() const {
    return static_cast<double>(sum) * static_cast<double>(sum) / static_cast<double>(count);
  }
};

// The colors [begin, end), and the best cut: those with c[axis] <= pivot on one side.
struct Box {
  size_t begin = 0;
  size_t end = 0;
  size_t axis = 0;
  int pivot = 0;
  double gain = 0.0;  // Squared error that the cut saves; 0: there is none.
};

// Cut where the variance between both sides is greatest.
void FindCut(const WeightedColors& colors, size_t axis, std::vector<Moment>* buckets, Box* box) {
  int low = kMostCoordinate, high = 0;
  for (size_t i = box->begin; i < box->end; ++i) {
    const int at = colors.colors[i][axis];
    const uint64_t count = colors.counts[i];
    (*buckets)[static_cast<size_t>(at)].Add({count, count * static_cast<uint64_t>(at)});
    low = std::min(low, at);
    high = std::max(high, at);
  }
  Moment all;
  for (int at = low; at <= high; ++at) all.Add((*buckets)[static_cast<size_t>(at)]);
  Moment left;
  for (int at = low; at < high; ++at) {
    Moment& bucket = (*buckets)[static_cast<size_t>(at)];
    left.Add(bucket);
    if (bucket.count == 0) continue;
    const Moment right{all.count - left.count, all.sum - left.sum};
    const double gain = left.squared_mean() + right.squared_mean() - all.squared_mean();
    bucket = {};
    if (gain <= box->gain) continue;
    box->gain = gain;
    box->axis = axis;
    box->pivot = at;
  }
  (*buckets)[static_cast<size_t>(high)] = {};
}

Box MakeBox(const WeightedColors& colors, size_t begin, size_t end, std::vector<Moment>* buckets) {
  Box box;
  box.begin = begin;
  box.end = end;
  for (size_t axis = 0; axis < 4; ++axis) FindCut(colors, axis, buckets, &box);
  return box;
}

// Colors with is_left first; returns where the others start.
template <typename IsLeft>
size_t Partition(WeightedColors* colors, size_t begin, size_t end, const IsLeft& is_left) {
  size_t split = begin;
  for (size_t i = begin; i < end; ++i) {
    if (!is_left(colors->colors[i])) continue;
    std::swap(colors->colors[i], colors->colors[split]);
    std::swap(colors->counts[i], colors->counts[split]);
    ++split;
  }
  return split;
}

struct ColorSum {
  std::array<uint64_t, 4> sums = {};
  uint64_t count = 0;

  void Add(const PaletteColor& color, uint32_t pixels) {
    for (size_t c = 0; c < 4; ++c) sums[c] += uint64_t{pixels} * static_cast<uint64_t>(color[c]);
    count += pixels;
  }
  PaletteColor Mean() const {
    PaletteColor mean;
    for (size_t c = 0; c < 4; ++c) mean[c] = static_cast<int16_t>((sums[c] + count / 2) / count);
    return mean;
  }
};

// Calls visit(i, nearest) for each color; opaque colors find opaque centers if there are any.
template <typename Visit>
void ForEachNearest(const WeightedColors& colors, const std::vector<PaletteColor>& centers,
                    const Visit& visit) {
  std::vector<uint8_t> all, opaque;
  for (size_t i = 0; i < centers.size(); ++i) {
    all.push_back(static_cast<uint8_t>(i));
    if (centers[i][3] == kOpaqueAlpha) opaque.push_back(static_cast<uint8_t>(i));
  }
  const auto all_blocks = MakePaletteBlocks(centers, all);
  const auto opaque_blocks = opaque.empty() ? all_blocks : MakePaletteBlocks(centers, opaque);
  std::array<NearestEntry, kBatch> nearest;
  for (size_t begin = 0; begin < colors.colors.size();) {
    // A run of one kind.
    const bool is_opaque = colors.colors[begin][3] == kOpaqueAlpha;
    size_t end = begin + 1;
    while (end < colors.colors.size() && end < begin + kBatch &&
           (colors.colors[end][3] == kOpaqueAlpha) == is_opaque) {
      ++end;
    }
    FindNearest(is_opaque ? opaque_blocks : all_blocks, &colors.colors[begin], end - begin,
                nearest.data());
    for (size_t i = begin; i < end; ++i) visit(i, nearest[i - begin]);
    begin = end;
  }
}

}  // namespace

std::vector<PaletteColor> SplitColors(WeightedColors colors, size_t most) {
  std::vector<Moment> buckets(kCoordinates);
  const size_t size = colors.colors.size();
  const size_t translucent = Partition(
      &colors, 0, size, [](const PaletteColor& color) { return color[3] == kOpaqueAlpha; });
  std::vector<Box> boxes;
  if (translucent == 0 || translucent == size || most < 2) {
    boxes.push_back(MakeBox(colors, 0, size, &buckets));
  } else {
    boxes.push_back(MakeBox(colors, 0, translucent, &buckets));
    boxes.push_back(MakeBox(colors, translucent, size, &buckets));
  }
  while (boxes.size() < most) {
    const auto widest = std::max_element(
        boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.gain < b.gain; });
    if (widest->gain <= 0.0) break;
    const Box box = *widest;
    const size_t split = Partition(&colors, box.begin, box.end, [&](const PaletteColor& color) {
      return color[box.axis] <= box.pivot;
    });
    *widest = MakeBox(colors, box.begin, split, &buckets);
    boxes.push_back(MakeBox(colors, split, box.end, &buckets));
  }
  std::vector<PaletteColor> centers;
  for (const Box& box : boxes) {
    ColorSum sum;
    for (size_t i = box.begin; i < box.end; ++i) sum.Add(colors.colors[i], colors.counts[i]);
    centers.push_back(sum.Mean());
  }
  return centers;
}

std::vector<uint64_t> RefineCenters(const WeightedColors& colors,
                                    std::vector<PaletteColor>* centers) {
  std::vector<ColorSum> sums(centers->size());
  ForEachNearest(colors, *centers, [&](size_t i, NearestEntry nearest) {
    sums[nearest.index()].Add(colors.colors[i], colors.counts[i]);
  });
  std::vector<uint64_t> weights;
  for (size_t i = 0; i < centers->size(); ++i) {
    weights.push_back(sums[i].count);
    if (sums[i].count == 0) continue;
    const bool is_opaque = (*centers)[i][3] == kOpaqueAlpha;
    (*centers)[i] = sums[i].Mean();
    if (is_opaque) (*centers)[i][3] = kOpaqueAlpha;
  }
  return weights;
}

uint64_t SquaredError(const WeightedColors& colors, const std::vector<PaletteColor>& centers,
                      std::vector<uint64_t>* weights) {
  uint64_t error = 0;
  if (weights != nullptr) weights->assign(centers.size(), 0);
  ForEachNearest(colors, centers, [&](size_t i, NearestEntry nearest) {
    error += static_cast<uint64_t>(nearest.distance()) * colors.counts[i];
    if (weights != nullptr) (*weights)[nearest.index()] += colors.counts[i];
  });
  return error;
}

}  // namespace pixpress
