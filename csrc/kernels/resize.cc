#include "kernels/resize.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "kernels/resize_bands.h"
#include "kernels/resize_blend.h"
#include "kernels/resize_columns.h"
#include "kernels/resize_samples.h"
#include "kernels/resize_weights.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

// Rows that lie one after the other, and are read side by side: an odd number of cache lines, so
// that they do not compete for the same place in the cache.
size_t StrideOf(size_t row_bytes) { return (row_bytes + 63) / 64 * 64 | 64; }

size_t SampleStride(uint32_t width, uint8_t channels) {
  return StrideOf((size_t{width} * channels + kBlendPadding) * sizeof(int16_t));
}

// What a row takes while it waits to be blended.
size_t RingStride(uint32_t width, const ResizeOptions& options) {
  if (!ResizeSamples(options).may_stay()) return SampleStride(width, options.channels);
  return StrideOf(size_t{width} * options.channels * (options.bits / 8u) + kRowPadding);
}

size_t ScratchBytes(const ResizeOptions& options, size_t taps) {
  return ColumnTile::ScratchSamples(options.channels, taps) * sizeof(int16_t);
}

// What planes of the same size have in common.
struct ResizeTables {
  ResizeTables(const ResizeAxis& x_axis, const ResizeAxis& y_axis, Filter of_filter)
      : x(x_axis),
        y(y_axis),
        filter(of_filter),
        columns(UniformWeights::Make(x, filter)),
        rows(ResizeBands::Make(y, filter)) {}

  const ResizeAxis x;
  const ResizeAxis y;
  const Filter filter;
  const UniformWeights columns;
  const ResizeBands rows;
};

// Vertically first, on the source rows that a window needs, then horizontally on groups of the
// rows that this makes: those that come out are fewer than those that go in.
class Resizer final : public PlaneResizer {
 public:
  Resizer(const ResizeAxis& x, const ResizeAxis& y, const ResizeOptions& options,
          const Resizer* like)
      : options_(options),
        tables_(like != nullptr && like->IsOn(x, y, options.filter)
                    ? like->tables_
                    : std::make_shared<const ResizeTables>(x, y, options.filter)),
        x_(tables_->x),
        columns_(tables_->columns),
        rows_(tables_->rows),
        samples_(options),
        ring_stride_(RingStride(x.in_size, options)),
        blended_stride_(SampleStride(x.in_size, options.channels)),
        narrowed_stride_(SampleStride(x.out_size, options.channels)),
        column_rows_(ColumnRows(options.channels)),
        kept_rows_(rows_.most_count) {}

  Status Init(Meter& meter) {
    PIXPRESS_ASSIGN_OR_RETURN(ring_, meter.Allocate(ring_stride_ * rows_.most_count));
    PIXPRESS_ASSIGN_OR_RETURN(blended_, meter.Allocate(blended_stride_ * column_rows_));
    if (x_.is_identity()) return Status();
    PIXPRESS_ASSIGN_OR_RETURN(narrowed_, meter.Allocate(narrowed_stride_ * column_rows_));
    PIXPRESS_ASSIGN_OR_RETURN(scratch_, meter.Allocate(ScratchBytes(options_, columns_.taps)));
    return Status();
  }

  void PushRow(const uint8_t* row, bool stays) override {
    const uint32_t index = pushed_++;
    if (next_band_ >= rows_.bands.size() || index < rows_.bands[next_band_].first) return;
    const size_t slot = index % rows_.most_count;
    const uint8_t*& kept = kept_rows_[slot];
    uint8_t* const ring_row = ring_.data() + slot * ring_stride_;
    kept = samples_.may_stay() && stays ? row : ring_row;
    if (!samples_.may_stay()) {
      samples_.Load(row, x_.in_size, reinterpret_cast<int16_t*>(ring_row));
    } else if (!stays) {
      std::memcpy(ring_row, row, row_samples() * (options_.bits / 8u));
    }
    BlendBands();
  }

  bool row_ready() const override {
    return popped_ < ready_ ||
           (gathered_ > 0 && (next_band_ == rows_.bands.size() || !next_band_fits()));
  }

  void PopRow(uint8_t* out) override {
    if (popped_ == ready_) FinishGroup();
    samples_.Store(FinishedRow(popped_++), x_.out_size, out);
    if (popped_ == ready_) BlendBands();
  }

 private:
  size_t row_samples() const { return size_t{x_.in_size} * options_.channels; }

  const uint8_t* KeptRow(uint32_t index) const { return kept_rows_[index % rows_.most_count]; }

  int16_t* BlendedRow(size_t index) {
    return reinterpret_cast<int16_t*>(blended_.data() + index * blended_stride_);
  }

  int16_t* FinishedRow(size_t index) {
    if (x_.is_identity()) return BlendedRow(index);
    return reinterpret_cast<int16_t*>(narrowed_.data() + index * narrowed_stride_);
  }

  bool next_band_fits() const { return gathered_ + rows_.bands[next_band_].rows <= column_rows_; }

  // Makes the rows of all bands whose source rows are there, up to a full group.
  void BlendBands() {
    while (next_band_ < rows_.bands.size() && next_band_fits()) {
      const ResizeBands::Band& band = rows_.bands[next_band_];
      if (pushed_ < band.first + band.count) return;
      Blend(band);
      gathered_ += band.rows;
      ++next_band_;
    }
  }

  // Along the rows of the group.
  void FinishGroup() {
    if (!x_.is_identity()) {
      std::array<const int16_t*, kMostColumnRows> in;
      std::array<int16_t*, kMostColumnRows> out;
      for (size_t i = 0; i < column_rows_; ++i) {
        in[i] = BlendedRow(std::min(i, gathered_ - 1));
        out[i] = FinishedRow(std::min(i, gathered_ - 1));
      }
      BlendColumns(in.data(), options_.channels, columns_, scratch_.as<int16_t>(), out.data());
    }
    popped_ = 0;
    ready_ = std::exchange(gathered_, 0);
  }

  void Blend(const ResizeBands::Band& band) {
    const std::array<int16_t*, 2> both = {BlendedRow(gathered_), BlendedRow(gathered_ + 1)};
    const std::span<int16_t* const> out(both.data(), band.rows);
    const uint8_t* const row = KeptRow(band.first);
    if (!samples_.may_stay()) {
      if (band.count > 1) return BlendKept(band, BlendRows, &sample_rows_, out);
      std::memcpy(out[0], row, row_samples() * sizeof(int16_t));
    } else if (band.count == 1) {
      samples_.Load(row, x_.in_size, out[0]);
    } else if (options_.bits == 8) {
      BlendKept(band, BlendByteRows, &byte_rows_, out);
    } else {
      BlendKept(band, BlendWideRows, &wide_rows_, out);
    }
  }

  // `rows` is where the source rows of the band, an even number of them, are listed.
  template <typename Sample>
  void BlendKept(const ResizeBands::Band& band,
                 void (*blend)(const Sample* const*, const BandWeights&, size_t,
                               std::span<int16_t* const>),
                 std::vector<const Sample*>* rows, std::span<int16_t* const> out) {
    rows->clear();
    for (uint32_t i = 0; i < band.count; ++i) {
      rows->push_back(reinterpret_cast<const Sample*>(KeptRow(band.first + i)));
    }
    if (band.count % 2 != 0) rows->push_back(rows->back());  // Its weight is 0.
    blend(rows->data(), rows_.WeightsOf(band), row_samples(), out);
  }

  bool IsOn(const ResizeAxis& x, const ResizeAxis& y, Filter filter) const {
    return tables_->x == x && tables_->y == y && tables_->filter == filter;
  }

  const ResizeOptions options_;
  const std::shared_ptr<const ResizeTables> tables_;
  const ResizeAxis& x_;
  const UniformWeights& columns_;
  const ResizeBands& rows_;
  const ResizeSamples samples_;
  const size_t ring_stride_;
  const size_t blended_stride_;
  const size_t narrowed_stride_;
  const size_t column_rows_;               // Of a group.
  std::vector<const uint8_t*> kept_rows_;  // In ring_, or of the caller.
  Buffer ring_;
  Buffer blended_;   // A group of rows that are blended vertically.
  Buffer narrowed_;  // And then horizontally.
  Buffer scratch_;
  // The rows that are blended, of one kind.
  std::vector<const uint8_t*> byte_rows_;
  std::vector<const uint16_t*> wide_rows_;
  std::vector<const int16_t*> sample_rows_;
  uint32_t pushed_ = 0;
  size_t next_band_ = 0;
  size_t gathered_ = 0;  // Rows in blended_.
  size_t ready_ = 0;     // Finished rows, of which popped_ are gone.
  size_t popped_ = 0;
};

}  // namespace

Result<std::unique_ptr<PlaneResizer>> PlaneResizer::Create(const ResizeAxis& x, const ResizeAxis& y,
                                                           const ResizeOptions& options,
                                                           Meter& meter, const PlaneResizer* like) {
  auto resizer = std::make_unique<Resizer>(x, y, options, static_cast<const Resizer*>(like));
  PIXPRESS_RETURN_IF_ERROR(resizer->Init(meter));
  return std::unique_ptr<PlaneResizer>(std::move(resizer));
}

uint64_t PlaneResizer::MemoryBytes(const ResizeAxis& x, const ResizeAxis& y,
                                   const ResizeOptions& options) {
  const uint64_t most_rows = ResizeBands::MostCount(y, options.filter);
  const size_t most_taps = UniformWeights::MostTaps(x, options.filter);
  const size_t group_rows = ColumnRows(options.channels);
  // Buffers are rounded up to a size class each.
  const uint64_t buffers =
      BufferPool::CapacityFor(RingStride(x.in_size, options) * most_rows) +
      BufferPool::CapacityFor(SampleStride(x.in_size, options.channels) * group_rows) +
      BufferPool::CapacityFor(SampleStride(x.out_size, options.channels) * group_rows) +
      BufferPool::CapacityFor(ScratchBytes(options, most_taps));
  return buffers + UniformWeights::MemoryBytes(x, options.filter) +
         ResizeBands::MemoryBytes(y, options.filter) + 24 * most_rows + 1024;
}

}  // namespace pixpress
