#include "kernels/inverse_dct.h"

#include <array>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/inverse_dct.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/dct_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pixpress::HWY_NAMESPACE {
namespace {

// Along columns, all eight at once.
template <int kShift>
HWY_INLINE void Pass8(V16* rows) {
  const Pair p04 = Interleave(rows[0], rows[4]), p26 = Interleave(rows[2], rows[6]);
  const Pair p13 = Interleave(rows[1], rows[3]), p57 = Interleave(rows[5], rows[7]);
  const Sums a0 = Mul(p04, 1 << kFactorBits, 1 << kFactorBits);
  const Sums a1 = Mul(p04, 1 << kFactorBits, -(1 << kFactorBits));
  const Sums b0 = Mul(p26, kE0, kE), b1 = Mul(p26, kE, kE1);
  const Sums even[4] = {a0 + b0, a1 + b1, a1 - b1, a0 - b0};
  const Sums odd[4] = {
      Mul(p13, kF1, kC) + Mul(p57, kZ4, kZ1 + kC), Mul(p13, kC, kF3) + Mul(p57, kZ2 + kC, kZ3),
      Mul(p13, kZ4, kZ2 + kC) + Mul(p57, kF5, kC), Mul(p13, kZ1 + kC, kZ3) + Mul(p57, kC, kF7)};
  for (int i = 0; i < 4; ++i) {
    rows[i] = Rounded<kShift>(even[i] + odd[i]);
    rows[7 - i] = Rounded<kShift>(even[i] - odd[i]);
  }
}

// The average of samples 2 i and 2 i + 1 has the factors of the angle between them, times
// cos(k pi / 16): 2 sqrt(2) cos(k pi / 16) cos((2 i + 1) k pi / 8). Row 4 has no part in it.
template <int kShift>
HWY_INLINE void Pass4(V16* rows) {
  const Pair p26 = Interleave(rows[2], rows[6]);
  const Pair p13 = Interleave(rows[1], rows[3]), p57 = Interleave(rows[5], rows[7]);
  const Sums a = Mul(Interleave(rows[0], hn::Zero(D16())), 2 << kFactorBits, 0);
  const Sums b = Mul(p26, 15137, -6270);
  const Sums even[2] = {a + b, a - b};
  const Sums odd[2] = {Mul(p13, 20995, 7373) + Mul(p57, -4926, -4176),
                       Mul(p13, 8697, -17799) + Mul(p57, 11893, -1730)};
  for (int i = 0; i < 2; ++i) {
    rows[i] = Rounded<kShift + 1>(even[i] + odd[i]);
    rows[3 - i] = Rounded<kShift + 1>(even[i] - odd[i]);
  }
}

// In the same way 4 sqrt(2) cos(k pi / 16) cos(k pi / 8) cos((2 i + 1) k pi / 4); of the even rows
// only the first is left.
constexpr std::array<int, 4> kHalfFactors = {29692, -10426, 6967, -5906};

template <int kShift>
HWY_INLINE void Pass2(V16* rows) {
  const Sums even = Mul(Interleave(rows[0], rows[0]), 2 << kFactorBits, 2 << kFactorBits);
  const Sums odd = Mul(Interleave(rows[1], rows[3]), kHalfFactors[0], kHalfFactors[1]) +
                   Mul(Interleave(rows[5], rows[7]), kHalfFactors[2], kHalfFactors[3]);
  rows[0] = Rounded<kShift + 2>(even + odd);
  rows[1] = Rounded<kShift + 2>(even - odd);
}

constexpr int kFirstShift = kFactorBits - kBetweenBits;
constexpr int kLastShift = kFactorBits + kBetweenBits + 3;

HWY_INLINE hn::Vec<hn::FixedTag<uint8_t, 8>> Samples(V16 row) {
  return hn::DemoteTo(hn::FixedTag<uint8_t, 8>(), hn::SaturatedAdd(row, hn::Set(D16(), 128)));
}

void Block8(V16* rows, uint8_t* out, size_t stride_bytes) {
  Pass8<kFirstShift>(rows);
  Transpose(rows);
  Pass8<kLastShift>(rows);
  Transpose(rows);
  for (int y = 0; y < 8; ++y) {
    hn::StoreU(Samples(rows[y]), hn::FixedTag<uint8_t, 8>(), out + y * stride_bytes);
  }
}

void Block4(V16* rows, uint8_t* out, size_t stride_bytes) {
  Pass4<kFirstShift>(rows);
  for (int i = 4; i < 8; ++i) rows[i] = hn::Zero(D16());
  Transpose(rows);
  Pass4<kLastShift>(rows);
  const V16 even = hn::InterleaveLower(D16(), rows[0], rows[2]);
  const V16 odd = hn::InterleaveLower(D16(), rows[1], rows[3]);
  alignas(8) uint8_t samples[16];
  const hn::FixedTag<uint8_t, 8> d8;
  hn::Store(Samples(hn::InterleaveLower(D16(), even, odd)), d8, samples);
  hn::Store(Samples(hn::InterleaveUpper(D16(), even, odd)), d8, samples + 8);
  for (int y = 0; y < 4; ++y) std::memcpy(out + y * stride_bytes, samples + y * 4, 4);
}

uint8_t Sample(int64_t sum) {
  constexpr int kShift = kLastShift + 2;
  const int64_t value = ((sum + (int64_t{1} << (kShift - 1))) >> kShift) + 128;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

void Block2(V16* rows, uint8_t* out, size_t stride_bytes) {
  Pass2<kFirstShift>(rows);
  for (int y = 0; y < 2; ++y) {
    alignas(16) int16_t row[8];
    hn::Store(rows[y], D16(), row);
    const int64_t even = int64_t{row[0]} << (kFactorBits + 2);
    int64_t odd = 0;
    for (int i = 0; i < 4; ++i) odd += int64_t{row[2 * i + 1]} * kHalfFactors[i];
    out[y * stride_bytes] = Sample(even + odd);
    out[y * stride_bytes + 1] = Sample(even - odd);
  }
}

void Block(uint32_t side, int16_t* coefficients, const int16_t* steps, uint8_t* out,
           size_t stride_bytes) {
  V16 rows[8];
  for (int y = 0; y < 8; ++y) {
    rows[y] = hn::Mul(hn::LoadU(D16(), coefficients + y * 8), hn::LoadU(D16(), steps + y * 8));
    hn::StoreU(hn::Zero(D16()), D16(), coefficients + y * 8);
  }
  if (side == 8) return Block8(rows, out, stride_bytes);
  if (side == 4) return Block4(rows, out, stride_bytes);
  Block2(rows, out, stride_bytes);
}

}  // namespace
}  // namespace pixpress::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pixpress {
namespace {

HWY_EXPORT(Block);

}  // namespace

void InverseDct(uint32_t side, int16_t* coefficients, const int16_t* steps, uint8_t* out,
                size_t stride_bytes) {
  HWY_DYNAMIC_DISPATCH(Block)(side, coefficients, steps, out, stride_bytes);
}

}  // namespace pixpress
#endif  // HWY_ONCE
