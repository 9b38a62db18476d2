#include "codecs/gif/still_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pixpress {
namespace {

constexpr uint32_t kBlockSide = 16;
constexpr uint32_t kPatchSide = 4;
constexpr int64_t kPatchPixels = kPatchSide * kPatchSide;
// The part of the largest squared error that the means of patches may differ by.
constexpr int64_t kMeanPart = 50;

struct Rect {
  uint32_t left, top, right, bottom;
};

Rect PartOf(const Rect& rect, uint32_t x, uint32_t y, uint32_t side) {
  return {x, y, std::min(x + side, rect.right), std::min(y + side, rect.bottom)};
}

class StillBlocks {
 public:
  StillBlocks(const GifLoss& loss, CanvasPixels shown, uint32_t* next)
      : loss_(loss), shown_(shown), next_(next) {}

  void Keep(const CanvasPlace& changed) {
    const Rect canvas{0, 0, shown_.width, shown_.height};
    const uint32_t left = changed.x - changed.x % kBlockSide;
    const uint32_t top = changed.y - changed.y % kBlockSide;
    for (uint32_t y = top; y < changed.y + changed.height; y += kBlockSide) {
      for (uint32_t x = left; x < changed.x + changed.width; x += kBlockSide) {
        const Rect block = PartOf(canvas, x, y, kBlockSide);
        if (!IsEqual(block) && StandsStill(block)) KeepNear(block);
      }
    }
  }

 private:
  // Of pixels that change from one opaque color to another.
  struct Change {
    int64_t pixels = 0;
    int64_t squares = 0;  // Of differences.
    std::array<int64_t, 3> sum = {};
  };

  bool IsEqual(const Rect& rect) const {
    for (uint32_t y = rect.top; y < rect.bottom; ++y) {
      const size_t row_bytes = (rect.right - rect.left) * sizeof(uint32_t);
      if (std::memcmp(shown_.row(y) + rect.left, next_row(y) + rect.left, row_bytes) != 0) {
        return false;
      }
    }
    return true;
  }

  Change ChangeOf(const Rect& rect) const {
    Change change;
    for (uint32_t y = rect.top; y < rect.bottom; ++y) {
      const uint32_t* shown = shown_.row(y);
      const uint32_t* next = next_row(y);
      for (uint32_t x = rect.left; x < rect.right; ++x) {
        if (!Changes(next[x], shown[x])) continue;
        const GifColorError difference = GifDifference(next[x], shown[x]);
        ++change.pixels;
        change.squares += SquaredLength(difference);
        for (size_t c = 0; c < difference.size(); ++c) change.sum[c] += difference[c];
      }
    }
    return change;
  }

  // Noise differs from pixel to pixel: it moves the means of patches no more than its own strength
  // does. What moves, or becomes brighter, moves them together.
  bool StandsStill(const Rect& block) const {
    int64_t pixels = 0;
    int64_t squares = 0;
    int64_t squares_of_sums = 0;
    for (uint32_t y = block.top; y < block.bottom; y += kPatchSide) {
      for (uint32_t x = block.left; x < block.right; x += kPatchSide) {
        const Change change = ChangeOf(PartOf(block, x, y, kPatchSide));
        pixels += change.pixels;
        squares += change.squares;
        for (const int64_t sum : change.sum) squares_of_sums += sum * sum;
      }
    }
    return squares_of_sums <= squares ||
           squares_of_sums * kMeanPart <= int64_t{loss_.most()} * pixels * kPatchPixels;
  }

  void KeepNear(const Rect& rect) {
    for (uint32_t y = rect.top; y < rect.bottom; ++y) {
      const uint32_t* shown = shown_.row(y);
      uint32_t* next = next_row(y);
      for (uint32_t x = rect.left; x < rect.right; ++x) {
        if (Changes(next[x], shown[x]) && loss_.Allows(next[x], shown[x])) next[x] = shown[x];
      }
    }
  }

  static bool Changes(uint32_t next, uint32_t shown) {
    return next != shown && next != 0 && shown != 0;
  }
  uint32_t* next_row(uint32_t y) const { return next_ + size_t{y} * shown_.width; }

  const GifLoss& loss_;
  const CanvasPixels shown_;
  uint32_t* const next_;
};

}  // namespace

void KeepStillBlocks(const GifLoss& loss, CanvasPixels shown, const CanvasPlace& changed,
                     uint32_t* next) {
  StillBlocks(loss, shown, next).Keep(changed);
}

}  // namespace pixpress
