#include "codecs/png_filter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "base/checked_math.h"

namespace pixpress {
namespace {

constexpr size_t kRowFilters = 5;  // None, Sub, Up, Average, Paeth.
// Zeros before a row: the left neighbors of its first pixel, of 8 bytes at most.
constexpr size_t kMarginBytes = 8;

// A row as PNG stores it: packed samples, big-endian.
void PackRow(const Image& image, uint32_t y, const PngRowFormat& format, uint8_t* out) {
  const uint8_t* row = image.row(0, y);
  if (format.depth == 16 && std::endian::native == std::endian::little) {
    for (size_t i = 0; i + 1 < format.row_bytes; i += 2) {
      out[i] = row[i + 1];
      out[i + 1] = row[i];
    }
    return;
  }
  if (format.depth >= 8) {
    std::memcpy(out, row, format.row_bytes);
    return;
  }
  std::memset(out, 0, format.row_bytes);
  const uint32_t per_byte = 8u / format.depth;
  // Gray fills 8 bits; indices lie in the low ones.
  const uint32_t unused_bits = format.color_type == 3 ? 0 : 8u - format.depth;
  for (uint32_t x = 0; x < image.layout().width; ++x) {
    const uint32_t shift = 8 - format.depth * (x % per_byte + 1);
    const uint32_t sample = static_cast<uint32_t>(row[x]) >> unused_bits;
    out[x / per_byte] = static_cast<uint8_t>(out[x / per_byte] | sample << shift);
  }
}

uint8_t Paeth(int left, int up, int corner) {
  const int from_left = std::abs(up - corner);
  const int from_up = std::abs(left - corner);
  const int from_corner = std::abs(left + up - 2 * corner);
  const int vertical = from_up <= from_corner ? up : corner;
  return static_cast<uint8_t>(from_left <= std::min(from_up, from_corner) ? left : vertical);
}

// `row` and `up` have kMarginBytes before them.
void FilterRow(size_t filter, const uint8_t* row, const uint8_t* up, const PngRowFormat& format,
               uint8_t* out) {
  const size_t bytes = format.row_bytes;
  const uint8_t* left = row - format.pixel_bytes;
  const uint8_t* corner = up - format.pixel_bytes;
  switch (filter) {
    case 1:
      for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(row[i] - left[i]);
      break;
    case 2:
      for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(row[i] - up[i]);
      break;
    case 3:
      for (size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<uint8_t>(row[i] - (left[i] + up[i]) / 2);
      }
      break;
    case 4:
      for (size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<uint8_t>(row[i] - Paeth(left[i], up[i], corner[i]));
      }
      break;
    default:
      std::memcpy(out, row, bytes);
  }
}

uint64_t SumOfMagnitudes(const uint8_t* row, size_t bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; ++i) {
    sum += static_cast<uint64_t>(std::abs(static_cast<int8_t>(row[i])));
  }
  return sum;
}

// log2 with 8 fractional bits, a straight line between powers of two: integers only, so that every
// CPU chooses alike.
uint64_t Log2(uint64_t value) {
  const int whole = std::bit_width(value) - 1;
  const uint64_t fraction = (value << 8 >> whole) - 256;
  return static_cast<uint64_t>(whole) * 256 + fraction;
}

uint64_t Entropy(const uint8_t* row, size_t bytes) {
  std::array<uint32_t, 256> counts = {};
  for (size_t i = 0; i < bytes; ++i) ++counts[row[i]];
  uint64_t saved = 0;
  for (const uint32_t count : counts) {
    if (count > 0) saved += count * Log2(count);
  }
  return bytes * Log2(bytes) - saved;
}

uint64_t Bigrams(const uint8_t* row, size_t bytes) {
  std::array<uint64_t, 65536 / 64> seen = {};
  for (size_t i = 1; i < bytes; ++i) {
    const uint32_t pair = uint32_t{row[i - 1]} << 8 | row[i];
    seen[pair / 64] |= uint64_t{1} << pair % 64;
  }
  uint64_t count = 0;
  for (const uint64_t word : seen) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

uint64_t CostOf(PngFilter measure, const uint8_t* row, size_t bytes) {
  switch (measure) {
    case PngFilter::kLeastEntropy:
      return Entropy(row, bytes);
    case PngFilter::kFewestBigrams:
      return Bigrams(row, bytes);
    default:
      return SumOfMagnitudes(row, bytes);
  }
}

void FilterBest(PngFilter measure, const uint8_t* row, const uint8_t* up,
                const PngRowFormat& format, uint8_t* trial, uint8_t* out) {
  uint64_t least = ~uint64_t{0};
  for (size_t filter = 0; filter < kRowFilters; ++filter) {
    FilterRow(filter, row, up, format, trial);
    const uint64_t cost = CostOf(measure, trial, format.row_bytes);
    if (cost >= least) continue;
    least = cost;
    out[0] = static_cast<uint8_t>(filter);
    std::memcpy(out + 1, trial, format.row_bytes);
  }
}

}  // namespace

PngRowFormat PngRowFormatOf(const ImageLayout& layout, uint8_t depth) {
  PngRowFormat format;
  const bool is_indexed = layout.color == ColorModel::kIndexed;
  const size_t channels = layout.planes[0].channels;
  format.depth = depth;
  format.color_type = is_indexed ? uint8_t{3}
                                 : static_cast<uint8_t>((layout.color == ColorModel::kRgb ? 2 : 0) +
                                                        (layout.has_alpha ? 4 : 0));
  format.row_bytes = DivideRoundingUp<size_t>(size_t{layout.width} * channels * depth, 8);
  format.pixel_bytes = std::max<size_t>(channels * depth / 8, 1);
  return format;
}

std::span<const PngFilter> PngFiltersToTry(const PngRowFormat& format, int effort) {
  static constexpr std::array kPacked = {PngFilter::kNone, PngFilter::kLeastSum,
                                         PngFilter::kFewestBigrams};
  static constexpr std::array kSamples = {
      PngFilter::kLeastSum,     PngFilter::kNone,  PngFilter::kFewestBigrams,
      PngFilter::kLeastEntropy, PngFilter::kPaeth, PngFilter::kUp,
      PngFilter::kSub};
  if (format.color_type == 3 || format.depth < 8) {
    return std::span(kPacked).first(effort < 5 ? 1 : effort < 7 ? 2 : 3);
  }
  return std::span(kSamples).first(effort < 2 ? 1 : effort < 5 ? 2 : effort < 7 ? 3 : 7);
}

size_t PngFilterScratchBytes(const PngRowFormat& format) {
  return 2 * (kMarginBytes + format.row_bytes) + format.row_bytes;
}

void FilterPngRows(const Image& image, const PngRowFormat& format, uint32_t first_row,
                   uint32_t rows, PngFilter filter, uint8_t* scratch, uint8_t* out) {
  uint8_t* up = scratch + kMarginBytes;
  uint8_t* row = up + format.row_bytes + kMarginBytes;
  uint8_t* trial = row + format.row_bytes;
  std::memset(up - kMarginBytes, 0, kMarginBytes);
  std::memset(row - kMarginBytes, 0, kMarginBytes);
  if (first_row == 0) {
    std::memset(up, 0, format.row_bytes);
  } else {
    PackRow(image, first_row - 1, format, up);
  }
  for (uint32_t y = 0; y < rows; ++y, out += format.line_bytes()) {
    PackRow(image, first_row + y, format, row);
    if (filter < PngFilter::kLeastSum) {
      out[0] = static_cast<uint8_t>(filter);
      FilterRow(out[0], row, up, format, out + 1);
    } else {
      FilterBest(filter, row, up, format, trial, out);
    }
    std::swap(row, up);
  }
}

}  // namespace pixpress
