#pragma once
// Map pixels to a palette with error diffusion (Floyd and Steinberg, 1976), row after row in
// serpentine order. SIMD with run-time dispatch, the same indices on every target.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "kernels/palette.h"
#include "kernels/palette_color.h"
#include "kernels/palette_search.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {

// Not thread-safe. What a pixel passes on of its error:
//   nothing where it is fully transparent, and where it equals its four neighbors and the palette
//   has (nearly) its color: flat areas stay flat, and transparent ones do not bleed;
//   less at contrast, where no bands show.
// What a pixel receives is limited by how far apart the entries are, so that no stray pixels
// appear.
class Ditherer {
 public:
  // `pixels` and `cells` are borrowed and outlive this. `strength` is 0 (none) to 1.
  static Result<std::unique_ptr<Ditherer>> Create(const PixelView& pixels, PaletteCells& cells,
                                                  float strength, Meter& meter);
  static uint64_t MemoryBytes(uint32_t width);

  // The limit of what a pixel receives, in levels of each channel.
  int most_error() const { return most_error_; }

  // The indices of the next row; called once for each row.
  void NextRow(uint8_t* indices);

 private:
  Ditherer(const PixelView& pixels, PaletteCells& cells, float strength);

  // A row of `pixels` as colors, and its light, with its ends repeated at both sides.
  void LoadRow(uint32_t y);
  PaletteColor* Colors(uint32_t y);
  int16_t* Light(uint32_t y);

  const PixelView pixels_;
  PaletteCells& cells_;
  const int strength_;    // In 1/16.
  const int most_error_;  // In levels.
  int transparent_ = -1;  // The index of the fully transparent entry; -1: there is none.
  size_t row_slots_ = 0;
  Buffer buffer_;
  uint32_t loaded_ = 0;  // Rows.
  uint32_t y_ = 0;
};

}  // namespace pixpress
