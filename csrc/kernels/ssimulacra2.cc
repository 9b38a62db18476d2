#include "kernels/ssimulacra2.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked_math.h"
#include "kernels/reproducible_power.h"

namespace pixpress {
namespace {

constexpr uint32_t kLeastSide = 8;
constexpr size_t kImages = 2;  // Reference and distorted.
constexpr size_t kColors = 3;
constexpr size_t kRingParts = kColors * 4;  // Both images, squares and errors.
constexpr size_t kRowsOfScale = kRingParts * kScoreWindow + kImages * kColors * 2;

constexpr std::array<float, 256> LinearLight() {
  std::array<float, 256> table = {};
  for (size_t i = 0; i < 256; ++i) {
    const double v = static_cast<double>(i) / 255;
    table[i] =
        static_cast<float>(v <= 0.04045 ? v / 12.92 : ReproduciblePower((v + 0.055) / 1.055, 2.4));
  }
  return table;
}
constexpr std::array<float, 256> kLinearLight = LinearLight();

size_t StrideOf(uint32_t width) {
  return RoundUpTo<size_t>(width, kScoreMargin) + 2 * kScoreMargin;
}

// Rows beyond the top and bottom are mirrored.
uint32_t Mirrored(int64_t y, uint32_t height) {
  if (y < 0) return static_cast<uint32_t>(-1 - y);
  if (y >= height) return static_cast<uint32_t>(2 * int64_t{height} - 1 - y);
  return static_cast<uint32_t>(y);
}

void RowToLinear(const uint8_t* rgb, uint32_t pixels, uint32_t width,
                 const std::array<float*, kColors>& out) {
  for (size_t c = 0; c < kColors; ++c) {
    for (uint32_t x = 0; x < pixels; ++x) out[c][x] = kLinearLight[rgb[x * kColors + c]];
    std::fill(out[c] + pixels, out[c] + width, out[c][pixels - 1]);
  }
}

}  // namespace

std::vector<Ssimulacra2::Scale> Ssimulacra2::ScalesOf(uint32_t width, uint32_t height) {
  std::vector<Scale> scales;
  uint32_t w = std::max(width, kLeastSide);
  uint32_t h = std::max(height, kLeastSide);
  while (scales.size() < kMostScoreScales && w >= kLeastSide && h >= kLeastSide) {
    Scale scale;
    scale.width = w;
    scale.height = h;
    scale.stride = StrideOf(w);
    scales.push_back(scale);
    w = DivideRoundingUp(w, 2u);
    h = DivideRoundingUp(h, 2u);
  }
  for (size_t s = 0; s < scales.size(); ++s) {
    for (size_t c = 0; c < kColors; ++c) scales[s].is_weighty[c] = IsWeighty(c, s, scales.size());
  }
  return scales;
}

uint64_t Ssimulacra2::MemoryBytes(uint32_t width, uint32_t height) {
  size_t floats = 0;
  for (const Scale& scale : ScalesOf(width, height)) floats += scale.stride * kRowsOfScale;
  return BufferPool::CapacityFor(floats * sizeof(float));
}

Result<Ssimulacra2> Ssimulacra2::Create(uint32_t width, uint32_t height, Meter& meter) {
  Ssimulacra2 made;
  made.width_ = width;
  made.scales_ = ScalesOf(width, height);
  size_t floats = 0;
  for (const Scale& scale : made.scales_) floats += scale.stride * kRowsOfScale;
  PIXPRESS_ASSIGN_OR_RETURN(made.buffer_, meter.Allocate(floats * sizeof(float)));
  float* next = made.buffer_.as<float>();
  std::memset(next, 0, floats * sizeof(float));
  for (Scale& scale : made.scales_) {
    scale.ring = next;
    scale.linear = next + kRingParts * kScoreWindow * scale.stride;
    next += kRowsOfScale * scale.stride;
  }
  return made;
}

void Ssimulacra2::PushRow(const uint8_t* reference, const uint8_t* distorted) {
  Scale& scale = scales_[0];
  const uint32_t y = scale.pushed_rows;
  for (size_t image = 0; image < kImages; ++image) {
    std::array<float*, kColors> rows;
    for (size_t c = 0; c < kColors; ++c) rows[c] = scale.LinearRow(image * kColors + c, y);
    RowToLinear(image == 0 ? reference : distorted, width_, scale.width, rows);
  }
  TakeLinearRow(0);
}

// The linear row is there. Score what its arrival completes, and hand each pair of rows on.
void Ssimulacra2::TakeLinearRow(size_t index) {
  Scale& scale = scales_[index];
  const uint32_t y = scale.pushed_rows++;
  MakeXybRow(scale, y);
  if (y >= kScoreReach) ScoreRow(scale, scale.scored_rows++);
  const bool is_last = scale.pushed_rows == scale.height;
  if (is_last) {
    while (scale.scored_rows < scale.height) ScoreRow(scale, scale.scored_rows++);
  }
  if (index + 1 == scales_.size() || (y % 2 == 0 && !is_last)) return;
  Scale& half = scales_[index + 1];
  for (size_t part = 0; part < kImages * kColors; ++part) {
    HalveRow(scale.LinearRow(part, y - y % 2), scale.LinearRow(part, y), scale.width,
             half.LinearRow(part, half.pushed_rows));
  }
  TakeLinearRow(index + 1);
}

void Ssimulacra2::MakeXybRow(Scale& scale, uint32_t y) {
  for (size_t image = 0; image < kImages; ++image) {
    std::array<const float*, kColors> linear;
    std::array<float*, kColors> xyb;
    for (size_t c = 0; c < kColors; ++c) {
      linear[c] = scale.LinearRow(image * kColors + c, y);
      xyb[c] = scale.RingRow(image * kColors + c, y);
    }
    LinearToXybRow(linear, scale.width, xyb);
  }
  for (size_t c = 0; c < kColors; ++c) {
    if (!scale.is_weighty[c]) continue;
    SquaresRow(scale.RingRow(c, y), scale.RingRow(kColors + c, y), scale.width,
               scale.RingRow(2 * kColors + c, y), scale.RingRow(3 * kColors + c, y));
  }
}

void Ssimulacra2::ScoreRow(Scale& scale, uint32_t y) {
  for (size_t c = 0; c < kColors; ++c) {
    if (!scale.is_weighty[c]) continue;
    WindowRows rows;
    for (size_t k = 0; k < kScoreWindow; ++k) {
      const int64_t at = int64_t{y} + static_cast<int64_t>(k) - static_cast<int64_t>(kScoreReach);
      const uint32_t row = Mirrored(at, scale.height);
      rows.reference[k] = scale.RingRow(c, row);
      rows.distorted[k] = scale.RingRow(kColors + c, row);
      rows.squares[k] = scale.RingRow(2 * kColors + c, row);
      rows.errors[k] = scale.RingRow(3 * kColors + c, row);
    }
    AddErrorsOfRow(rows, scale.width, &scale.sums[c]);
  }
}

double Ssimulacra2::Score() {
  Scale& first = scales_[0];
  while (first.pushed_rows < first.height) {  // Less than eight rows: the last one again.
    const uint32_t y = first.pushed_rows;
    for (size_t part = 0; part < kImages * kColors; ++part) {
      std::copy_n(first.LinearRow(part, y - 1), first.width, first.LinearRow(part, y));
    }
    TakeLinearRow(0);
  }
  std::vector<ScoreNorms> norms;
  for (const Scale& scale : scales_) {
    ScoreNorms& made = norms.emplace_back();
    const double pixels = static_cast<double>(scale.width) * scale.height;
    for (size_t c = 0; c < kColors; ++c) {
      for (size_t s = 0; s < kScoreSums; ++s) {
        const double mean = scale.sums[c][s] / pixels;
        made[c][s] = s % 2 == 0 ? mean : std::sqrt(std::sqrt(mean));
      }
    }
  }
  return ScoreOfNorms(norms);
}

}  // namespace pixpress
