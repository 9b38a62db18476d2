#pragma once
// Rows as PNG stores them, each behind its filter byte.

#include <libdeflate.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "codecs/encode_options.h"
#include "image/image.h"

namespace pixpress {

// What IHDR says about the rows, and how they came to be.
struct PngRowFormat {
  uint8_t color_type = 0;
  uint8_t depth = 8;
  size_t row_bytes = 0;
  size_t pixel_bytes = 1;     // Distance of the filters' left neighbor.
  bool is_quantized = false;  // Indices of colors that were chosen for the image.

  size_t line_bytes() const { return row_bytes + 1; }
};

PngRowFormat PngRowFormatOf(const ImageLayout& layout, uint8_t depth);

// One filter for all rows, or the filter of each row that a measure likes best.
enum class PngFilter : uint8_t {
  kNone,
  kSub,
  kUp,
  kAverage,
  kPaeth,
  kLeastSum,       // Of magnitudes.
  kLeastEntropy,   // Of the row's bytes, order 0.
  kFewestBigrams,  // Distinct pairs of bytes.
  kLeastBigramEntropy,
  kShortest,  // What deflates to about the least behind the three rows before.
};

// The filters worth a trial at an effort, or the one that an expert chose.
std::span<const PngFilter> PngFiltersToTry(const PngRowFormat& format,
                                           const EncodeOptions& options);

// What FilterPngRows needs to work in.
size_t PngFilterScratchBytes(const PngRowFormat& format);

// Write `rows` rows from `first_row` on to `out`, line_bytes() each. Only kShortest needs the
// `deflater`, a fast one.
void FilterPngRows(const Image& image, const PngRowFormat& format, uint32_t first_row,
                   uint32_t rows, PngFilter filter, uint8_t* scratch, uint8_t* out,
                   libdeflate_compressor* deflater = nullptr);

}  // namespace pixpress
