#include "kernels/dither.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/checked_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dither.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/palette_search-inl.h"

#ifndef PIXPRESS_DITHER_ROW_
#define PIXPRESS_DITHER_ROW_
namespace pixpress {

// One row to map, and its neighbors. Slot x + 1 of a row belongs to pixel x.
struct DitherRow {
  const PaletteColor* above;
  const PaletteColor* colors;
  const PaletteColor* below;
  const int16_t* light_above;
  const int16_t* light;
  const int16_t* light_below;
  PaletteColor* errors;       // Received from the row above, in 1/16.
  PaletteColor* next_errors;  // For the row below; all slots are written.
  size_t width;
  bool is_backwards;
  int strength;     // In 1/16.
  int most_error;   // Levels of received error that count.
  int transparent;  // The index of the fully transparent entry, or -1.
  uint8_t* indices;

  // How much of its error pixel x passes on, in 1/16: an eighth of it at strong contrast.
  int StrengthAt(size_t x) const {
    constexpr int kUnchanged = 36, kStep = 16, kMostSteps = 14;  // Light is 9 times a gray level.
    const int contrast = std::max(std::abs(light[x] - light[x + 2]),
                                  std::abs(light_above[x + 1] - light_below[x + 1]));
    const int less = std::clamp((contrast - kUnchanged) / kStep, 0, kMostSteps);
    return strength * (16 - less) >> 4;
  }

  bool IsFlat(size_t x) const {
    const PaletteColor& here = colors[x + 1];
    return colors[x] == here && colors[x + 2] == here && above[x + 1] == here &&
           below[x + 1] == here;
  }
};

}  // namespace pixpress
#endif  // PIXPRESS_DITHER_ROW_

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

using D4 = hn::FixedTag<int16_t, 4>;
using V4 = hn::Vec<D4>;

// In a flat area, the squared distance that is near enough: two levels of every channel in
// quadrature, less than anybody sees.
constexpr int32_t kFlatDistance = 58;

V4 Load4(const PaletteColor& color) { return hn::LoadU(D4(), color.data()); }

PaletteColor ToColor(V4 v) {
  const hn::Repartition<uint64_t, D4> d64;
  return std::bit_cast<PaletteColor>(hn::GetLane(hn::BitCast(d64, v)));
}

NearestEntry NearestInCell(PaletteCells& cells, const PaletteColor& wanted) {
  const PaletteCells::Candidates found = cells.At(wanted);
  return NearestOf(found.blocks, found.count, Wanted(wanted));
}

// What limits a color with its received error.
struct Limits {
  static V4 PerChannel(int levels) {
    constexpr auto& k = kPaletteScale;
    const PaletteColor limits = {
        static_cast<int16_t>(levels * k[0]), static_cast<int16_t>(levels * k[1]),
        static_cast<int16_t>(levels * k[2]), static_cast<int16_t>(levels * k[3])};
    return Load4(limits);
  }
  explicit Limits(int most_error_levels) : most_error(PerChannel(most_error_levels)) {}

  const V4 white = PerChannel(255);
  const V4 most_error;
  const V4 but_alpha = Load4({-1, -1, -1, 0});

  V4 WantedColor(const PaletteColor& color, V4 received) const {
    const D4 d;
    auto error = hn::ShiftRight<4>(hn::Add(received, hn::Set(d, 8)));
    error = hn::Max(hn::Min(error, most_error), hn::Neg(most_error));
    // Opaque pixels stay opaque.
    if (color[3] == kOpaqueAlpha) error = hn::And(error, but_alpha);
    return hn::Max(hn::Zero(d), hn::Min(hn::Add(Load4(color), error), white));
  }
};

// Remembers the last flat color: flat areas are long.
class FlatArea {
 public:
  // The index of a color that the palette has nearly; -1: it has not.
  int Find(PaletteCells& cells, const PaletteColor& color) {
    if (color == color_) return index_;
    const NearestEntry nearest = NearestInCell(cells, color);
    color_ = color;
    index_ = nearest.distance() <= kFlatDistance ? nearest.index() : -1;
    return index_;
  }

 private:
  PaletteColor color_ = {-1, -1, -1, -1};
  int index_ = -1;
};

void Diffuse(const DitherRow& row, PaletteCells& cells) {
  const D4 d;
  const Limits limits(row.most_error);
  const PaletteColor* const palette = cells.palette().data();
  const ptrdiff_t step = row.is_backwards ? -1 : 1;
  ptrdiff_t x = row.is_backwards ? static_cast<ptrdiff_t>(row.width) - 1 : 0;
  FlatArea flat;
  auto ahead = hn::Zero(d);     // For the next pixel of this row.
  auto below = hn::Zero(d);     // So far for the pixel below this one,
  auto diagonal = hn::Zero(d);  // and below the next one.
  for (size_t i = 0; i < row.width; ++i, x += step) {
    const PaletteColor& color = row.colors[x + 1];
    int index = -1;
    if (color[3] == 0) index = row.transparent;
    if (index < 0 && row.IsFlat(static_cast<size_t>(x))) index = flat.Find(cells, color);
    auto error = hn::Zero(d);
    if (index < 0) {
      const V4 wanted = limits.WantedColor(color, hn::Add(ahead, Load4(row.errors[x + 1])));
      index = NearestInCell(cells, ToColor(wanted)).index();
      const auto strength =
          hn::Set(d, static_cast<int16_t>(row.StrengthAt(static_cast<size_t>(x))));
      const auto missed = hn::Sub(wanted, Load4(palette[index]));
      error = hn::ShiftRight<4>(hn::Add(hn::Mul(missed, strength), hn::Set(d, 8)));
    }
    row.indices[x] = static_cast<uint8_t>(index);
    // 7, 3, 5 and 1 sixteenths.
    ahead = hn::Sub(hn::ShiftLeft<3>(error), error);
    const auto behind = hn::Add(below, hn::Add(hn::Add(error, error), error));
    hn::StoreU(behind, d, row.next_errors[x + 1 - step].data());
    below = hn::Add(diagonal, hn::Add(hn::ShiftLeft<2>(error), error));
    diagonal = error;
  }
  hn::StoreU(below, d, row.next_errors[x + 1 - step].data());
}

void Map(const DitherRow& row, PaletteCells& cells) {
  PaletteColor last = {-1, -1, -1, -1};
  uint8_t index = 0;
  for (size_t x = 0; x < row.width; ++x) {
    const PaletteColor& color = row.colors[x + 1];
    if (color != last) {
      last = color;
      index = color[3] == 0 && row.transparent >= 0 ? static_cast<uint8_t>(row.transparent)
                                                    : NearestInCell(cells, color).index();
    }
    row.indices[x] = index;
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(Diffuse);
HWY_EXPORT(Map);

constexpr uint32_t kRows = 3;  // Above, this, and below.

size_t RowSlots(uint32_t width) { return RoundUpTo<size_t>(size_t{width} + 2, 32); }

// Half the mean distance of visible entries to their nearest, in levels of gray: what it takes to
// mix neighboring entries. More makes noise and stray pixels.
int MostError(const std::vector<PaletteColor>& palette) {
  constexpr double kLevel = 9 + 16 + 4;  // The squared distance of one level.
  constexpr int kLeast = 6;
  double sum = 0;
  int entries = 0;
  for (const PaletteColor& entry : palette) {
    int least = 0;
    for (const PaletteColor& other : palette) {
      const int distance = SquaredDistance(entry, other);
      if (other[3] > 0 && distance > 0 && (least == 0 || distance < least)) least = distance;
    }
    if (entry[3] == 0 || least == 0) continue;
    sum += std::sqrt(least / kLevel);
    ++entries;
  }
  return entries == 0 ? kLeast : std::clamp(static_cast<int>(sum / entries / 2), kLeast, 127);
}

// Three rows of colors and two of errors, then three of light.
size_t BufferBytes(uint32_t width) {
  return RowSlots(width) * ((kRows + 2) * sizeof(PaletteColor) + kRows * sizeof(int16_t));
}

}  // namespace

Ditherer::Ditherer(const PixelView& pixels, PaletteCells& cells, float strength)
    : pixels_(pixels),
      cells_(cells),
      strength_(static_cast<int>(std::lround(std::clamp(strength, 0.0f, 1.0f) * 16))),
      most_error_(MostError(cells.palette())),
      row_slots_(RowSlots(pixels.width)) {
  const std::vector<PaletteColor>& palette = cells.palette();
  const auto found = std::find_if(palette.begin(), palette.end(),
                                  [](const PaletteColor& color) { return color[3] == 0; });
  if (found != palette.end()) transparent_ = static_cast<int>(found - palette.begin());
}

Result<std::unique_ptr<Ditherer>> Ditherer::Create(const PixelView& pixels, PaletteCells& cells,
                                                   float strength, Meter& meter) {
  std::unique_ptr<Ditherer> ditherer(new Ditherer(pixels, cells, strength));
  const size_t bytes = BufferBytes(pixels.width);
  PIXPRESS_ASSIGN_OR_RETURN(ditherer->buffer_, meter.Allocate(bytes));
  std::memset(ditherer->buffer_.data(), 0, bytes);
  return ditherer;
}

uint64_t Ditherer::MemoryBytes(uint32_t width) {
  return BufferPool::CapacityFor(BufferBytes(width));
}

PaletteColor* Ditherer::Colors(uint32_t y) {
  return buffer_.as<PaletteColor>() + (y % kRows) * row_slots_;
}

int16_t* Ditherer::Light(uint32_t y) {
  auto* const light =
      reinterpret_cast<int16_t*>(buffer_.as<PaletteColor>() + (kRows + 2) * row_slots_);
  return light + (y % kRows) * row_slots_;
}

void Ditherer::LoadRow(uint32_t y) {
  const uint8_t* pixel = pixels_.data + y * pixels_.stride_bytes;
  PaletteColor* const colors = Colors(y);
  int16_t* const light = Light(y);
  const size_t width = pixels_.width;
  for (size_t x = 1; x <= width; ++x, pixel += pixels_.channels) {
    PaletteColor& color = colors[x];
    if (pixels_.channels == 4 && pixel[3] != 255) {
      color = ToPaletteColor(PixelColor(pixel, 4));
    } else {
      color = {static_cast<int16_t>(pixel[0] * kPaletteScale[0]),
               static_cast<int16_t>(pixel[1] * kPaletteScale[1]),
               static_cast<int16_t>(pixel[2] * kPaletteScale[2]), kOpaqueAlpha};
    }
    light[x] = static_cast<int16_t>(color[0] + color[1] + color[2]);
  }
  colors[0] = colors[1];
  colors[width + 1] = colors[width];
  light[0] = light[1];
  light[width + 1] = light[width];
}

void Ditherer::NextRow(uint8_t* indices) {
  const uint32_t last = pixels_.height - 1;
  const uint32_t above = y_ == 0 ? 0 : y_ - 1;
  const uint32_t below = std::min(y_ + 1, last);
  for (; loaded_ <= below; ++loaded_) LoadRow(loaded_);
  PaletteColor* const errors = buffer_.as<PaletteColor>() + kRows * row_slots_;
  DitherRow row;
  row.above = Colors(above);
  row.colors = Colors(y_);
  row.below = Colors(below);
  row.light_above = Light(above);
  row.light = Light(y_);
  row.light_below = Light(below);
  row.errors = errors + (y_ % 2) * row_slots_;
  row.next_errors = errors + ((y_ + 1) % 2) * row_slots_;
  row.width = pixels_.width;
  row.is_backwards = y_ % 2 != 0;
  row.strength = strength_;
  row.most_error = most_error_;
  row.transparent = transparent_;
  row.indices = indices;
  if (strength_ == 0) {
    HWY_DYNAMIC_DISPATCH(Map)(row, cells_);
  } else {
    HWY_DYNAMIC_DISPATCH(Diffuse)(row, cells_);
  }
  ++y_;
}

}  // namespace pixpress
#endif  // HWY_ONCE
