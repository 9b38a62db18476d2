#include "codecs/png/filter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/checked_math.h"
#include "kernels/png_filter.h"

namespace pixpress {
namespace {

// Zeros before a row: the left neighbors of its first pixel, of 8 bytes at most.
constexpr size_t kMarginBytes = 8;
// Rows that are deflated together where that chooses filters.
constexpr size_t kRowsTogether = 4;
// What another filter has to save there: rows of one filter are more alike.
constexpr size_t kLeastGainBytes = 8;

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

uint64_t CostOf(PngFilter measure, const uint8_t* row, size_t bytes, PngRowCost* cost) {
  switch (measure) {
    case PngFilter::kLeastEntropy:
      return PngRowCost::Entropy(row, bytes);
    case PngFilter::kFewestBigrams:
      return cost->DistinctBigrams(row, bytes);
    case PngFilter::kLeastBigramEntropy:
      return cost->BigramEntropy(row, bytes);
    default:
      return SumOfMagnitudes(row, bytes);
  }
}

// `row` and `up` have kMarginBytes before them.
void FilterBest(PngFilter measure, const uint8_t* row, const uint8_t* up,
                const PngRowFormat& format, PngRowCost* costs, uint8_t* trial, uint8_t* out) {
  uint64_t least = ~uint64_t{0};
  for (uint8_t filter = 0; filter < kPngRowFilters; ++filter) {
    FilterPngRow(PngRowFilter{filter}, row, up, format.row_bytes, format.pixel_bytes, trial);
    const uint64_t cost = CostOf(measure, trial, format.row_bytes, costs);
    if (cost >= least) continue;
    least = cost;
    out[0] = filter;
    std::memcpy(out + 1, trial, format.row_bytes);
  }
}

// Leaves in `out` the row that deflates to about the least behind the `before_bytes` bytes before
// it.
void FilterShortest(const uint8_t* row, const uint8_t* up, const PngRowFormat& format,
                    size_t before_bytes, libdeflate_compressor* deflater, uint8_t* trial,
                    uint8_t* out) {
  const size_t room_bytes = kRowsTogether * format.line_bytes();
  size_t least = 2 * room_bytes;
  uint8_t best = 0;
  const auto filter_row = [&](uint8_t filter) {
    out[0] = filter;
    FilterPngRow(PngRowFilter{filter}, row, up, format.row_bytes, format.pixel_bytes, out + 1);
  };
  for (uint8_t filter = 0; filter < kPngRowFilters; ++filter) {
    filter_row(filter);
    const size_t made = libdeflate_deflate_compress(
        deflater, out - before_bytes, before_bytes + format.line_bytes(), trial, room_bytes);
    if (made == 0 || made + kLeastGainBytes > least) continue;
    least = made;
    best = filter;
  }
  filter_row(best);
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

std::span<const PngFilter> PngFiltersToTry(const PngRowFormat& format,
                                           const EncodeOptions& options) {
  static constexpr std::array kSingle = {PngFilter::kNone,  PngFilter::kSub,
                                         PngFilter::kUp,    PngFilter::kAverage,
                                         PngFilter::kPaeth, PngFilter::kLeastSum};
  const int effort = options.effort, chosen = options.expert.png_filter;
  if (chosen >= 0) return std::span(kSingle).subspan(static_cast<size_t>(chosen), 1);
  static constexpr std::array kPacked = {PngFilter::kNone,
                                         PngFilter::kLeastSum,
                                         PngFilter::kFewestBigrams,
                                         PngFilter::kSub,
                                         PngFilter::kUp,
                                         PngFilter::kLeastEntropy,
                                         PngFilter::kPaeth,
                                         PngFilter::kLeastBigramEntropy,
                                         PngFilter::kShortest};
  // One filter for all rows often beats the best for each: rows that look alike repeat.
  static constexpr std::array kSamples = {
      PngFilter::kLeastSum,     PngFilter::kNone,  PngFilter::kSub, PngFilter::kFewestBigrams,
      PngFilter::kLeastEntropy, PngFilter::kPaeth, PngFilter::kUp,  PngFilter::kLeastBigramEntropy,
      PngFilter::kShortest};
  if (format.color_type == 3 || format.depth < 8) {
    return std::span(kPacked).first(effort < 5 ? 1 : effort < 7 ? 2 : kPacked.size());
  }
  return std::span(kSamples).first(effort < 2 ? 1 : effort < 5 ? 3 : effort < 7 ? 4 : 9);
}

size_t PngFilterScratchBytes(const PngRowFormat& format) {
  return 2 * (kMarginBytes + format.row_bytes) + kRowsTogether * format.line_bytes();
}

void FilterPngRows(const Image& image, const PngRowFormat& format, uint32_t first_row,
                   uint32_t rows, PngFilter filter, uint8_t* scratch, uint8_t* out,
                   libdeflate_compressor* deflater) {
  PngRowCost costs;
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
      FilterPngRow(PngRowFilter{out[0]}, row, up, format.row_bytes, format.pixel_bytes, out + 1);
    } else if (filter == PngFilter::kShortest) {
      const size_t before_bytes = std::min<size_t>(y, kRowsTogether - 1) * format.line_bytes();
      FilterShortest(row, up, format, before_bytes, deflater, trial, out);
    } else {
      FilterBest(filter, row, up, format, &costs, trial, out);
    }
    std::swap(row, up);
  }
}

}  // namespace pixpress
