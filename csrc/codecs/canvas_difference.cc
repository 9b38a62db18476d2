#include "codecs/canvas_difference.h"

#include <algorithm>
#include <cstring>

namespace pixpress {
namespace {

// Collects the bounds of pixels, row by row downward.
class Bounds {
 public:
  void Add(uint32_t left, uint32_t right, uint32_t y) {
    if (bottom_ == 0) top_ = y;
    bottom_ = y + 1;
    left_ = std::min(left_, left);
    right_ = std::max(right_, right + 1);
  }
  CanvasPlace place() const {
    if (bottom_ == 0) return {};
    return {left_, top_, right_ - left_, bottom_ - top_};
  }

 private:
  uint32_t left_ = UINT32_MAX;
  uint32_t right_ = 0;
  uint32_t top_ = 0;
  uint32_t bottom_ = 0;
};

bool HasRow(const CanvasPlace& place, uint32_t y) { return y - place.y < place.height; }

// Collects differences within rows.
class Collector {
 public:
  // `cleared` is empty, or has columns of this row.
  void AddRow(const uint32_t* before, const CanvasPlace& cleared, const uint32_t* after,
              const CanvasPlace& within, uint32_t y) {
    // Most of most animations stands still.
    if (cleared.width == 0 &&
        std::memcmp(before + within.x, after + within.x, within.width * sizeof(*before)) == 0) {
      return;
    }
    Span changed;
    Span uncovered;
    const uint32_t right = within.x + within.width;
    for (uint32_t begin = within.x; begin < right; begin += kBlock) {
      const uint32_t end = std::min(right, begin + kBlock);
      const bool may_be_cleared = begin < cleared.x + cleared.width && end > cleared.x;
      if (!may_be_cleared &&
          std::memcmp(before + begin, after + begin, (end - begin) * sizeof(*before)) == 0) {
        continue;
      }
      for (uint32_t x = begin; x < end; ++x) {
        const uint32_t old = x - cleared.x < cleared.width ? 0 : before[x];
        if (old == after[x]) continue;
        changed.Add(x);
        if (after[x] == 0) uncovered.Add(x);
      }
    }
    if (changed.count > 0) changed_.Add(changed.first, changed.last, y);
    if (uncovered.count > 0) uncovered_.Add(uncovered.first, uncovered.last, y);
    difference_.changed += changed.count;
    difference_.uncovered += uncovered.count;
  }
  uint64_t changed() const { return difference_.changed; }

  CanvasDifference Take() {
    difference_.place = changed_.place();
    difference_.uncovered_place = uncovered_.place();
    return difference_;
  }

 private:
  static constexpr uint32_t kBlock = 32;
  struct Span {
    uint32_t first = 0;
    uint32_t last = 0;
    uint32_t count = 0;
    void Add(uint32_t x) {
      if (count++ == 0) first = x;
      last = x;
    }
  };
  CanvasDifference difference_;
  Bounds changed_;
  Bounds uncovered_;
};

}  // namespace

CanvasPlace Together(const CanvasPlace& a, const CanvasPlace& b) {
  if (a.width == 0) return b;
  if (b.width == 0) return a;
  const uint32_t left = std::min(a.x, b.x);
  const uint32_t top = std::min(a.y, b.y);
  return {left, top, std::max(a.x + a.width, b.x + b.width) - left,
          std::max(a.y + a.height, b.y + b.height) - top};
}

CanvasDifference CompareCanvases(const CanvasPixels& before, const CanvasPixels& after,
                                 const CanvasPlace& within, const CanvasPlace& cleared,
                                 uint64_t most_changed) {
  Collector collector;
  const uint32_t bottom = within.y + within.height;
  for (uint32_t y = within.y; y < bottom && collector.changed() <= most_changed; ++y) {
    collector.AddRow(before.row(y), HasRow(cleared, y) ? cleared : CanvasPlace(), after.row(y),
                     within, y);
  }
  return collector.Take();
}

}  // namespace pixpress
