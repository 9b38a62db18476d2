#pragma once
// SSIMULACRA2: how much a compressed image looks like its original. 90 is hardly to be told from
// it, 70 is high quality, 50 medium, 30 low; worse is below 0. Jon Sneyers (Cloudinary), version
// 2.1, from the published description; agrees with the PyPI package `ssimulacra2` to 0.01, which
// mirrors at the top and bottom and has zeros at the left and right.
// Rows are consumed as they come: it holds some hundred bytes for each column, never an image.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/ssimulacra2_norms.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread at a time; never blocks. The score is the same bits on every CPU
// (ssimulacra2_rows.h), so that it may decide about an output.
class Ssimulacra2 {
 public:
  // What Create charges.
  static uint64_t MemoryBytes(uint32_t width, uint32_t height);
  static Result<Ssimulacra2> Create(uint32_t width, uint32_t height, Meter& meter);

  // The next row of both images: 8-bit sRGB without alpha, `width` pixels each.
  void PushRow(const uint8_t* reference, const uint8_t* distorted);

  // Once `height` rows were pushed. A side of less than eight pixels is scored as one of eight, its
  // last row or column repeated.
  double Score();

 private:
  // One size of both images, each half of the one before.
  struct Scale {
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t pushed_rows = 0;
    uint32_t scored_rows = 0;
    size_t stride = 0;                    // Floats from row to row, margins included.
    float* ring = nullptr;                // Rows of XYB of both, squares and errors.
    float* linear = nullptr;              // Two rows of linear RGB of both.
    std::array<bool, 3> is_weighty = {};  // By component; others are left out.
    std::array<std::array<double, kScoreSums>, 3> sums = {};

    float* RingRow(size_t part, uint32_t y) const {
      return ring + (part * kScoreWindow + y % kScoreWindow) * stride + kScoreMargin;
    }
    float* LinearRow(size_t part, uint32_t y) const {
      return linear + (part * 2 + y % 2) * stride + kScoreMargin;
    }
  };

  static std::vector<Scale> ScalesOf(uint32_t width, uint32_t height);

  void TakeLinearRow(size_t scale);
  void MakeXybRow(Scale& scale, uint32_t y);
  void ScoreRow(Scale& scale, uint32_t y);

  uint32_t width_ = 0;
  std::vector<Scale> scales_;
  Buffer buffer_;
};

}  // namespace pixpress
