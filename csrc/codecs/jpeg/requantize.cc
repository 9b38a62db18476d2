#include "codecs/jpeg/requantize.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/fixed_log.h"

namespace pixpress {
namespace {

// ITU T.81 tables K.1 and K.2, row by row.
constexpr std::array<uint8_t, 64> kLuma = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr std::array<uint8_t, 64> kChroma = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
    99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

// For luma, from N. Robidoux's, which is about flat where eyes see most and coarser than K.1 where
// they see least; DC and its neighbors are finer. Tenfold.
constexpr std::array<uint16_t, 64> kPerceptualLuma = {
    91,  147, 183, 200, 270,  389,  572,  845,  147, 194, 222,  292,  357,  408,  527,  725,
    183, 222, 259, 326, 440,  617,  879,  1269, 200, 292, 326,  408,  527,  715,  997,  1427,
    270, 357, 440, 527, 667,  883,  1198, 1682, 389, 408, 617,  715,  883,  1134, 1503, 2060,
    572, 527, 879, 997, 1198, 1503, 1955, 2617, 845, 725, 1269, 1427, 1682, 2060, 2617, 3421};

// For chroma, from K.2 at 0.85 of its low steps, DC at half, and the finer the higher the
// frequency. Tenfold.
constexpr std::array<uint16_t, 64> kPerceptualChroma = {
    83,  154, 195, 367, 738, 703, 671, 639, 154, 167, 198, 477, 681, 649, 619, 590,
    195, 198, 400, 669, 634, 604, 575, 546, 367, 477, 669, 630, 595, 565, 536, 509,
    738, 681, 634, 595, 561, 530, 502, 476, 703, 649, 604, 565, 530, 500, 472, 446,
    671, 619, 575, 536, 502, 472, 445, 420, 639, 590, 546, 509, 476, 446, 420, 396};

// Above this quality steps of luma do not fall alike: those of high frequencies, which come to be
// seen, fall faster, and those of low ones slower.
constexpr int kEvenQuality = 77;
// Of what a step is times as much as at that quality, the power by which it is that much more once
// again, in 64ths.
constexpr std::array<int8_t, 64> kUnevenness = {
    0,  -13, -6, 1,  9,  16, 23, 31, -13, -10, -4, 3,  10, 17, 24, 31, -6, -4, 0,  6,  12, 19,
    26, 33,  1,  3,  6,  11, 16, 22, 29,  35,  9,  10, 12, 16, 21, 26, 32, 38, 16, 17, 19, 22,
    26, 31,  37, 42, 23, 24, 26, 29, 32,  37,  42, 47, 31, 31, 33, 35, 38, 42, 47, 52};

// 2 to the power of 1024ths, in 65536ths; from integers, for it decides about bytes.
uint32_t Exp2(int32_t x) {
  constexpr std::array<uint32_t, 10> kRoots = {92682, 77936, 71468, 68438, 66971,
                                               66250, 65892, 65714, 65625, 65580};
  uint64_t power = 1 << 16;
  for (size_t i = 0; i < kRoots.size(); ++i) {
    if ((x >> (9 - i) & 1) != 0) power = power * kRoots[i] >> 16;
  }
  const int32_t whole = x >> 10;
  return static_cast<uint32_t>(whole < 0 ? power >> -whole : power << whole);
}

int ScaleOf(int quality) { return quality < 50 ? 5000 / quality : 200 - 2 * quality; }

// As libjpeg scales tables; `percent_of` gives a hundredfold step by its position in the block.
template <typename PercentOf>
JpegQuantTable ScaledQuant(int quality, const PercentOf& percent_of) {
  const int scale = ScaleOf(quality);
  JpegQuantTable table;
  for (size_t k = 0; k < 64; ++k) {
    const int step = (percent_of(kJpegNaturalOrder[k]) * scale / 100 + 50) / 100;
    table[k] = static_cast<uint16_t>(std::clamp(step, 1, 255));
  }
  return table;
}

// One step of ChooseJpegQuant. A step barely coarser than the source's adds much error and saves
// little; whole multiples add the least error, the odd ones none at zero.
uint16_t ChooseStep(uint32_t source, uint32_t wanted) {
  if (wanted * 10 <= source * 12) return static_cast<uint16_t>(source);
  const uint32_t multiple = (wanted + source / 2) / source;
  const uint32_t snapped = multiple * source;
  const uint32_t distance = snapped > wanted ? snapped - wanted : wanted - snapped;
  const bool is_near = distance * 100 <= wanted * 15;
  const bool fits = snapped <= 255 || wanted > 255;
  return static_cast<uint16_t>(is_near && fits ? snapped : wanted);
}

}  // namespace

JpegQuantTable StandardJpegQuant(int quality, bool is_chroma) {
  const std::array<uint8_t, 64>& base = is_chroma ? kChroma : kLuma;
  return ScaledQuant(quality, [&](size_t i) { return base[i] * 100; });
}

JpegQuantTable PerceptualJpegQuant(int quality, bool is_chroma) {
  if (is_chroma) return ScaledQuant(quality, [](size_t i) { return kPerceptualChroma[i] * 10; });
  const auto scale = static_cast<uint32_t>(std::max(ScaleOf(quality), 1));
  const auto even_scale = static_cast<uint32_t>(ScaleOf(kEvenQuality));
  const int32_t log = scale < even_scale ? Log2In1024ths(scale) - Log2In1024ths(even_scale) : 0;
  return ScaledQuant(quality, [&](size_t i) {
    const uint64_t factor = Exp2(log * kUnevenness[i] / 64);
    return static_cast<int>(kPerceptualLuma[i] * 10 * factor >> 16);
  });
}

JpegQuantTable ChooseJpegQuant(const JpegQuantTable& source, const JpegQuantTable& wanted) {
  JpegQuantTable table;
  for (size_t k = 0; k < 64; ++k) table[k] = ChooseStep(source[k], wanted[k]);
  return table;
}

JpegStepScale MakeJpegStepScale(const JpegQuantTable& source, const JpegQuantTable& target) {
  JpegStepScale scale;
  for (size_t k = 0; k < 64; ++k) {
    scale.multiplier[k] = (uint32_t{source[k]} << 16) / target[k];
    if (k > 0) scale.block_multipliers[kJpegNaturalOrder[k]] = scale.multiplier[k];
    scale.is_identity &= source[k] == target[k];
  }
  return scale;
}

bool PutRoundedJpegAc(const int16_t* block, const JpegStepScale& scale, JpegTokenWriter& out) {
  RequantizedBlock made;
  if (!RequantizeBlock(block, scale.block_multipliers, &made)) return false;
  JpegTokenWriter writer = out;
  uint32_t last = 0;
  for (uint64_t left = JpegZigzagBits(made.nonzero); left != 0; left &= left - 1) {
    const auto k = static_cast<uint32_t>(std::countr_zero(left));
    writer.PutKeptAc(k, made.values[kJpegNaturalOrder[k]], &last);
  }
  writer.PutEnd(last == 63);
  out = writer;
  return true;
}

bool ReadChosenJpegAc(JpegBitReader& in, const JpegDecodeTable& table, size_t component,
                      JpegTrellis& trellis, JpegTokenWriter& out) {
  const bool ok = ReadJpegAc(in, table, [&](uint32_t k, JpegValue value) {
    if (value.magnitude != 0) trellis.Add(component, k, value);
  });
  trellis.Put(component, out);
  return ok;
}

size_t JpegRequantizer::MaxRowTokens(const JpegFrame& frame) {
  return size_t{frame.mcu_columns} * frame.mcu_blocks() * kMaxBlockTokens + kTokenSlack;
}

void JpegRequantizer::StartAfter(const std::array<int32_t, 3>& source_dc) {
  for (size_t c = 0; c < frame_.component_count; ++c) last_dc_[c] = QuantizedDc(c, source_dc[c]);
}

// In sixteenths of a step.
int32_t JpegRequantizer::DcError(size_t component, int32_t dc, int32_t level) const {
  const uint32_t exact = static_cast<uint32_t>(std::abs(dc)) * scales_[component].multiplier[0];
  const auto error = static_cast<int32_t>((exact + (1 << 11)) >> 12) - 16 * std::abs(level);
  return dc < 0 ? -error : error;
}

bool JpegRequantizer::PutAc(const int16_t* block, size_t component, JpegTokenWriter& out) {
  if (trellis_ == nullptr) return PutRoundedJpegAc(block, scales_[component], out);
  const bool ok =
      VisitJpegAc(block, [&](uint32_t k, JpegValue value) { trellis_->Add(component, k, value); });
  if (ok) trellis_->Put(component, out);
  return ok;
}

// Past the end of a block whose tokens stay as they are.
const JpegToken* JpegRequantizer::SkipAc(const JpegToken* next, const JpegToken* end) {
  constexpr uint64_t kOnes = 0x0001000100010001, kHighest = kOnes << 15;
  // Four at a time, so that few branches are taken; never those of the next piece, which another
  // thread may be writing.
  for (; end - next >= 4; next += 4) {
    uint64_t four;
    std::memcpy(&four, next, sizeof four);
    if constexpr (std::endian::native == std::endian::big) break;
    four &= ~(kOnes * kJpegFullEnd);
    const uint64_t ends = (four - kOnes) & ~four & kHighest;
    if (ends != 0) return next + std::countr_zero(ends) / 16 + 1;
  }
  while (!IsJpegEnd(*next)) ++next;
  return next + 1;
}

bool JpegRequantizer::RequantizePiece(const JpegPiece& piece, JpegToken** end) {
  StartAfter(piece.dc_before);
  std::array<int32_t, 3> dc = piece.dc_before;
  const JpegToken* next = piece.begin;
  JpegTokenWriter writer(piece.begin);
  const bool has_drafts = trellis_ != nullptr && !piece.is_chosen;
  while (next < piece.end) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      for (int i = 0; i < frame_.components[c].h * frame_.components[c].v; ++i) {
        dc[c] = JpegTokenValue(*next) + (piece.has_differences ? dc[c] : 0);
        if (!IsJpegDc(dc[c]) || !PutDc(c, dc[c], writer)) return false;
        if (has_drafts) {
          next = trellis_->PutDraft(next + 1, c, writer);
        } else {
          next = SkipAc(next + 1, piece.end);
          writer = JpegTokenWriter(piece.begin + (next - piece.begin));
        }
      }
    }
  }
  *end = writer.next();
  return true;
}

}  // namespace pixpress
