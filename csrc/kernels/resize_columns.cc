#include "kernels/resize_columns.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize_columns.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/resize_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Rows in one vector of 32-bit lanes.
inline constexpr size_t kLanes = HWY_MAX_BYTES >= 32 && !HWY_HAVE_SCALABLE ? 8 : 4;
using Sums = hn::FixedTag<int32_t, kLanes>;
using Pairs = hn::FixedTag<int16_t, 2 * kLanes>;
using Samples8 = hn::FixedTag<int16_t, 8>;

// Puts the samples of two pixels side by side, channel by channel, in each block of 128 bits.
template <size_t kChannels, class D16>
hn::Vec<D16> PairUp(D16 d16, hn::Vec<D16> pixels) {
  if constexpr (kChannels == 1) return pixels;
  constexpr uint8_t p = 2 * kChannels;  // Bytes of a pixel.
  constexpr uint8_t q = kChannels == 2 ? 8 : 4, r = kChannels == 2 ? 10 : 6 % p;
  HWY_ALIGN static constexpr uint8_t kOrder[16] = {
      0, 1, p, p + 1, 2, 3, p + 2, p + 3, q, q + 1, p + q, p + q + 1, r, r + 1, p + r, p + r + 1};
  const hn::Repartition<uint8_t, D16> d8;
  return hn::TableLookupBytes(pixels, hn::BitCast(d16, hn::LoadDup128(d8, kOrder)));
}

// Eight samples of row `row`, and of the row four further on if vectors hold eight rows.
inline hn::Vec<Pairs> LoadRows(const int16_t* const* rows, size_t row, size_t at) {
  const Samples8 d8;
#if HWY_MAX_BYTES >= 32 && !HWY_HAVE_SCALABLE
  return hn::Combine(Pairs(), hn::LoadU(d8, rows[row + 4] + at), hn::LoadU(d8, rows[row] + at));
#else
  return hn::LoadU(d8, rows[row] + at);
#endif
}

// Turns `pixels` pixels of all rows, from sample `at` on, into columns: pairs of neighbors of one
// channel, of row after row.
template <size_t kChannels>
void TurnIntoColumns(const int16_t* const* rows, size_t at, size_t pixels, int16_t* columns) {
  const Pairs d16;
  const hn::RepartitionToWide<Pairs> d32;
  const hn::RepartitionToWide<decltype(d32)> d64;
  constexpr size_t kStep = kChannels == 3 ? 2 : 8 / kChannels;  // Pixels.
  constexpr size_t kRows = ColumnRows(kChannels);
  for (size_t x = 0; x < pixels; x += kStep, at += kStep * kChannels) {
    for (size_t row = 0; row < kRows; row += kLanes) {
      const auto load = [&](size_t i) {
        return hn::BitCast(d32, PairUp<kChannels>(d16, LoadRows(rows, row + i, at)));
      };
      const auto a = load(0), b = load(1), c = load(2), d = load(3);
      const auto ab = hn::BitCast(d64, hn::InterleaveLower(d32, a, b));
      const auto cd = hn::BitCast(d64, hn::InterleaveLower(d32, c, d));
      const auto ab2 = hn::BitCast(d64, hn::InterleaveUpper(d32, a, b));
      const auto cd2 = hn::BitCast(d64, hn::InterleaveUpper(d32, c, d));
      const auto store = [&](size_t i, hn::Vec<decltype(d64)> pairs) {
        hn::StoreU(hn::BitCast(d16, pairs), d16, columns + 2 * (i * kRows + row));
      };
      store(0, hn::InterleaveLower(d64, ab, cd));
      store(1, hn::InterleaveUpper(d64, ab, cd));
      store(2, hn::InterleaveLower(d64, ab2, cd2));
      if (kChannels != 3) store(3, hn::InterleaveUpper(d64, ab2, cd2));
    }
    columns += kStep * kChannels * kRows;
  }
}

// What is blended at once, so that sums do not wait for each other: windows, and vectors of rows,
// which share the weights, as channels do.
template <size_t kChannels>
inline constexpr size_t kWindows = kChannels == 1 ? 2 : 1;
template <size_t kChannels>
inline constexpr size_t kVectors = kChannels == 1 ? 2 : 1;

struct Window {
  const int16_t* columns;
  const int16_t* weights;
};

// The output pixels of some windows, of all rows.
template <size_t kChannels>
HWY_INLINE void BlendWindows(const Window* windows, size_t taps, int16_t* out) {
  constexpr size_t kRows = ColumnRows(kChannels), kShare = kChannels * kVectors<kChannels>;
  constexpr size_t kSums = kShare * kWindows<kChannels>;
  // Samples of one row from one sum of a window to the next.
  constexpr size_t kNext = kChannels == 1 ? kLanes : kRows;
  const Pairs d16;
  const Sums d32;
  const hn::Rebind<int16_t, Sums> d_out;
  for (size_t row = 0; row < kRows; row += kLanes * kVectors<kChannels>) {
    auto sum0 = hn::Zero(d32), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    HWY_UNROLL(2)
    for (size_t i = 0; i < taps; i += 2) {
      const size_t at = (i * kChannels * kRows) + 2 * row;
      const auto add = [&](size_t sum_index, auto& sum) {
        const Window& window = windows[sum_index / kShare];
        const auto pairs = hn::LoadU(d16, window.columns + at + sum_index % kShare * 2 * kNext);
        sum = AddProducts(pairs, WeightPair(d16, window.weights + i), sum);
      };
      add(0, sum0);
      add(1, sum1);
      if (kSums > 2) add(2, sum2);
      if (kSums > 3) add(3, sum3);
    }
    const auto store = [&](size_t sum_index, hn::Vec<Sums> sum) {
      const size_t pixel = sum_index / kShare * kChannels * kRows;
      hn::StoreU(hn::DemoteTo(d_out, RoundWeighted(sum)), d_out,
                 out + pixel + sum_index % kShare * kNext + row);
    };
    store(0, sum0);
    store(1, sum1);
    if (kSums > 2) store(2, sum2);
    if (kSums > 3) store(3, sum3);
  }
}

// Turns columns of single samples back into eight rows, of the kRows that columns have. Writes a
// multiple of eight samples.
template <size_t kRows>
void TurnIntoRows(const int16_t* columns, size_t samples, size_t at, int16_t* const* out) {
  const Samples8 d16;
  const hn::RepartitionToWide<Samples8> d32;
  const hn::RepartitionToWide<decltype(d32)> d64;
  for (size_t x = 0; x < samples; x += 8, at += 8, columns += 8 * kRows) {
    // Interleaves columns i and i + 1, then those with the two after them.
    const auto pair = [&](size_t i, bool upper) {
      const auto a = hn::LoadU(d16, columns + i * kRows);
      const auto b = hn::LoadU(d16, columns + (i + 1) * kRows);
      return hn::BitCast(d32,
                         upper ? hn::InterleaveUpper(d16, a, b) : hn::InterleaveLower(d16, a, b));
    };
    const auto store = [&](size_t row, hn::Vec<decltype(d64)> samples8) {
      hn::StoreU(hn::BitCast(d16, samples8), d16, out[row] + at);
    };
    for (const bool upper : {false, true}) {
      const auto a = pair(0, upper), b = pair(2, upper), c = pair(4, upper), d = pair(6, upper);
      const auto ab = hn::BitCast(d64, hn::InterleaveLower(d32, a, b));
      const auto cd = hn::BitCast(d64, hn::InterleaveLower(d32, c, d));
      const auto ab2 = hn::BitCast(d64, hn::InterleaveUpper(d32, a, b));
      const auto cd2 = hn::BitCast(d64, hn::InterleaveUpper(d32, c, d));
      const size_t row = upper ? 4 : 0;
      store(row, hn::InterleaveLower(d64, ab, cd));
      store(row + 1, hn::InterleaveUpper(d64, ab, cd));
      store(row + 2, hn::InterleaveLower(d64, ab2, cd2));
      store(row + 3, hn::InterleaveUpper(d64, ab2, cd2));
    }
  }
}

template <size_t kChannels>
void BlendColumnsOf(const int16_t* const* rows, const UniformWeights& columns, int16_t* scratch,
                    int16_t* const* out) {
  const size_t taps = columns.taps, capacity = ColumnTile::SourcePixels(taps),
               count = columns.firsts.size();
  constexpr size_t kRows = ColumnRows(kChannels);
  int16_t* const blended = scratch;
  int16_t* const tile = scratch + (ColumnTile::kOutPixels * kChannels + 8) * kRows;
  for (size_t x = 0, end; x < count; x = end) {
    const size_t first = columns.firsts[x];
    const auto begin = columns.firsts.begin() + static_cast<ptrdiff_t>(x);
    const auto most = static_cast<ptrdiff_t>(std::min(count - x, ColumnTile::kOutPixels));
    const auto beyond = std::upper_bound(begin, begin + most, first + capacity - taps);
    end = x + static_cast<size_t>(beyond - begin);
    const size_t pixels = columns.firsts[end - 1] + taps - first;
    TurnIntoColumns<kChannels>(rows, first * kChannels, pixels, tile);
    for (size_t i = x; i < end; i += kWindows<kChannels>) {
      Window windows[kWindows<kChannels>];
      for (size_t w = 0; w < kWindows<kChannels>; ++w) {  // Those beyond the last repeat it.
        const size_t window = std::min(i + w, end - 1);
        const size_t pixel = columns.firsts[window] - first;
        windows[w] = {tile + pixel * kChannels * kRows, columns.WeightsOf(window)};
      }
      BlendWindows<kChannels>(windows, taps, blended + (i - x) * kChannels * kRows);
    }
    for (size_t row = 0; row < kRows; row += 8) {
      TurnIntoRows<kRows>(blended + row, (end - x) * kChannels, x * kChannels, out + row);
    }
  }
}

void BlendColumns(const int16_t* const* rows, size_t channels, const UniformWeights& columns,
                  int16_t* scratch, int16_t* const* out) {
  switch (channels) {
    case 1:
      return BlendColumnsOf<1>(rows, columns, scratch, out);
    case 2:
      return BlendColumnsOf<2>(rows, columns, scratch, out);
    case 3:
      return BlendColumnsOf<3>(rows, columns, scratch, out);
    default:
      return BlendColumnsOf<4>(rows, columns, scratch, out);
  }
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {

HWY_EXPORT(BlendColumns);

void BlendColumns(const int16_t* const* rows, size_t channels, const UniformWeights& columns,
                  int16_t* scratch, int16_t* const* out) {
  HWY_DYNAMIC_DISPATCH(BlendColumns)(rows, channels, columns, scratch, out);
}

}  // namespace pixpress
#endif  // HWY_ONCE
