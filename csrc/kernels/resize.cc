#include "kernels/resize.h"

#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "kernels/resize_bands.h"
#include "kernels/resize_blend.h"
#include "kernels/resize_columns.h"
#include "kernels/resize_samples.h"
#include "kernels/resize_weights.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

size_t RowBytes(uint32_t width, uint8_t channels) {
  return RoundUpTo<size_t>((size_t{width} * channels + kBlendPadding) * sizeof(int16_t), 64);
}

// What a row takes while it waits to be blended.
size_t RingStride(uint32_t width, const ResizeOptions& options) {
  if (!ResizeSamples(options).may_stay_bytes()) return RowBytes(width, options.channels);
  return RoundUpTo<size_t>(size_t{width} * options.channels + kBlendPadding, 64);
}

// Vertically first, on the source rows that a window needs, then horizontally on the one row: the
// rows that come out are fewer than those that go in.
class Resizer final : public PlaneResizer {
 public:
  Resizer(const ResizeAxis& x, const ResizeAxis& y, const ResizeOptions& options)
      : options_(options),
        x_(x),
        y_(y),
        samples_(options),
        columns_(UniformWeights::Make(x, options.filter, ColumnTapGroup(options.channels))),
        rows_(ResizeBands::Make(y, options.filter)),
        ring_stride_(RingStride(x.in_size, options)),
        kept_rows_(rows_.most_count) {}

  Status Init(Meter& meter) {
    PIXPRESS_ASSIGN_OR_RETURN(ring_, meter.Allocate(ring_stride_ * rows_.most_count));
    for (Buffer& row : blended_) {
      PIXPRESS_ASSIGN_OR_RETURN(row, meter.Allocate(RowBytes(x_.in_size, options_.channels)));
    }
    PIXPRESS_ASSIGN_OR_RETURN(narrowed_, meter.Allocate(RowBytes(x_.out_size, options_.channels)));
    return Status();
  }

  void PushRow(const uint8_t* row, bool stays) override {
    const uint32_t index = pushed_++;
    if (next_band_ >= rows_.bands.size() || index < rows_.bands[next_band_].first) return;
    const size_t slot = index % rows_.most_count;
    const uint8_t*& kept = kept_rows_[slot];
    uint8_t* const ring_row = ring_.data() + slot * ring_stride_;
    kept = samples_.may_stay_bytes() && stays ? row : ring_row;
    if (kept == row) return;
    if (samples_.may_stay_bytes()) {
      std::memcpy(ring_row, row, row_samples());
    } else {
      samples_.Load(row, x_.in_size, reinterpret_cast<int16_t*>(ring_row));
    }
  }

  bool row_ready() const override {
    if (waiting_ != nullptr) return true;
    if (next_band_ >= rows_.bands.size()) return false;
    const ResizeBands::Band& band = rows_.bands[next_band_];
    return pushed_ >= band.first + band.count;
  }

  void PopRow(uint8_t* out) override {
    const int16_t* row = std::exchange(waiting_, nullptr);
    if (row == nullptr) row = Blend(rows_.bands[next_band_++]);
    if (!x_.is_identity()) {
      BlendColumns(row, options_.channels, columns_, narrowed_.as<int16_t>());
      row = narrowed_.as<int16_t>();
    }
    samples_.Store(row, x_.out_size, out);
  }

 private:
  size_t row_samples() const { return size_t{x_.in_size} * options_.channels; }

  const uint8_t* KeptRow(uint32_t index) const { return kept_rows_[index % rows_.most_count]; }

  // Makes the rows of a band; returns the first and lets the second wait.
  const int16_t* Blend(const ResizeBands::Band& band) {
    const bool is_bytes = samples_.may_stay_bytes();
    int16_t* const first = blended_[0].as<int16_t>();
    if (band.count == 1) {
      const uint8_t* const row = KeptRow(band.first);
      if (!is_bytes) return reinterpret_cast<const int16_t*>(row);
      WidenRow(row, row_samples(), first);
      return first;
    }
    const std::array<int16_t*, 2> both = {first, blended_[1].as<int16_t>()};
    const std::span<int16_t* const> out(both.data(), band.rows);
    const int16_t* const weights = rows_.weights.data() + band.offset;
    if (is_bytes) {
      FindRows(band, &byte_rows_);
      BlendByteRows(byte_rows_.data(), weights, band.taps(), row_samples(), out);
    } else {
      FindRows(band, &sample_rows_);
      BlendRows(sample_rows_.data(), weights, band.taps(), row_samples(), out);
    }
    if (band.rows == 2) waiting_ = both[1];
    return first;
  }

  // The rows of a band, an even number of them.
  template <typename Sample>
  void FindRows(const ResizeBands::Band& band, std::vector<const Sample*>* rows) {
    rows->clear();
    for (uint32_t i = 0; i < band.count; ++i) {
      rows->push_back(reinterpret_cast<const Sample*>(KeptRow(band.first + i)));
    }
    if (band.count % 2 != 0) rows->push_back(rows->back());  // Its weight is 0.
  }

  const ResizeOptions options_;
  const ResizeAxis x_;
  const ResizeAxis y_;
  const ResizeSamples samples_;
  const UniformWeights columns_;
  const ResizeBands rows_;
  const size_t ring_stride_;
  std::vector<const uint8_t*> kept_rows_;  // In ring_, or of the caller.
  Buffer ring_;
  std::array<Buffer, 2> blended_;
  const int16_t* waiting_ = nullptr;  // The second row of a band.
  Buffer narrowed_;
  // The rows that are blended, of either kind.
  std::vector<const uint8_t*> byte_rows_;
  std::vector<const int16_t*> sample_rows_;
  uint32_t pushed_ = 0;
  size_t next_band_ = 0;
};

}  // namespace

Result<std::unique_ptr<PlaneResizer>> PlaneResizer::Create(const ResizeAxis& x, const ResizeAxis& y,
                                                           const ResizeOptions& options,
                                                           Meter& meter) {
  auto resizer = std::make_unique<Resizer>(x, y, options);
  PIXPRESS_RETURN_IF_ERROR(resizer->Init(meter));
  return std::unique_ptr<PlaneResizer>(std::move(resizer));
}

uint64_t PlaneResizer::MemoryBytes(const ResizeAxis& x, const ResizeAxis& y,
                                   const ResizeOptions& options) {
  const uint64_t most_rows = ResizeBands::MostCount(y, options.filter);
  // Buffers are rounded up to a size class each.
  const uint64_t buffers = BufferPool::CapacityFor(RingStride(x.in_size, options) * most_rows) +
                           2 * BufferPool::CapacityFor(RowBytes(x.in_size, options.channels)) +
                           BufferPool::CapacityFor(RowBytes(x.out_size, options.channels));
  return buffers +
         UniformWeights::MemoryBytes(x, options.filter, ColumnTapGroup(options.channels)) +
         ResizeBands::MemoryBytes(y, options.filter) + 24 * most_rows + 1024;
}

}  // namespace pixpress
