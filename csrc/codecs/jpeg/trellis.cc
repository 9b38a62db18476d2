#include "codecs/jpeg/trellis.h"

#include <algorithm>
#include <cstring>

namespace pixpress {
namespace {

// What a squared error of a step costs in a flat block, in bits, in luma and chroma; half of it
// where the coefficients have this root mean square, and less in busier blocks, which hide errors.
constexpr std::array<uint64_t, 2> kFlatBits = {20, 30};
constexpr uint64_t kHalfRms = 150;
constexpr uint64_t kHalfEnergy = 63 * (8 * kHalfRms) * (8 * kHalfRms);  // In eighths, squared.

uint32_t WeightOf(uint64_t energy, bool is_chroma) {
  return static_cast<uint32_t>(kFlatBits[is_chroma] * kTrellisWeightUnit * kHalfEnergy /
                               (kHalfEnergy + energy));
}

}  // namespace

JpegTrellis::JpegTrellis(const Steps& source_eighths, const Steps& target) {
  constexpr uint64_t kUnit = uint64_t{TrellisValue::kUnit} << kMultiplierBits;
  constexpr uint64_t kMostStep = 1 << 14;
  for (size_t c = 0; c < target.size(); ++c) {
    for (size_t k = 0; k < 64; ++k) {
      if (target[c][k] == 0) continue;  // There is no such component.
      const uint64_t step = source_eighths[c][k];
      factors_[c][k].multiplier = step * kUnit / (8 * uint64_t{target[c][k]});
      factors_[c][k].energy = std::min(step, kMostStep) * std::min(step, kMostStep);
    }
  }
  const JpegHuffmanSpecs specs = StandardJpegHuffmanSpecs();
  for (size_t t = 0; t < 2; ++t) {
    const JpegCodeTable codes = MakeJpegCodes(specs.ac[t]);
    for (size_t i = 0; i < codes.size(); ++i) {
      rates_[t][i] = static_cast<uint16_t>(codes[i].total_bits * kTrellisRateUnit);
    }
  }
}

void JpegTrellis::LearnRates(const JpegImageCounts& counts) {
  for (size_t t = 0; t < 2; ++t) {
    const JpegSymbolRates codes = MakeJpegSymbolRates(counts[t].ac, kTrellisRateUnit);
    for (size_t i = 0; i < codes.size(); ++i) {
      rates_[t][i] = static_cast<uint16_t>(codes[i] + (i & 15) * kTrellisRateUnit);
    }
  }
}

JpegToken* JpegTrellis::Draft::End() const {
  begin_[0] = static_cast<JpegToken>(count_);
  if (count_ == 0) return begin_ + 1;
  const uint32_t weight = WeightOf(energy_, is_chroma_);
  std::memcpy(begin_ + 1, &weight, sizeof weight);
  return begin_ + 3 + 2 * size_t{count_};
}

const JpegToken* JpegTrellis::PutDraft(const JpegToken* next, size_t component,
                                       JpegTokenWriter& out) {
  uint32_t weight = 0;
  const uint32_t count = *next++;
  if (count > 0) {
    std::memcpy(&weight, next, sizeof weight);
    next += 2;
  }
  for (uint32_t i = 0; i < count; ++i, next += 2) {
    uint32_t word;
    std::memcpy(&word, next, sizeof word);
    values_[i] = {word & 63, word >> 7, LevelOf(word >> 7)};
    signs_[i] = 0 - (word >> 6 & 1);
  }
  count_ = count;
  PutValues(weight, component > 0, out);
  return next;
}

void JpegTrellis::Put(size_t component, JpegTokenWriter& out) {
  const bool is_chroma = component > 0;
  PutValues(count_ > 0 ? WeightOf(energy_, is_chroma) : 0, is_chroma, out);
}

void JpegTrellis::PutValues(uint32_t weight, bool is_chroma, JpegTokenWriter& out) {
  if (count_ > 0 && !only_rounds_) {
    ChooseTrellisLevels(rates_[is_chroma], weight, {values_.data(), count_});
  }
  uint32_t last = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    const TrellisValue& value = values_[i];
    out.PutAc(value.position, {value.level, signs_[i]}, &last);
  }
  out.PutEnd(last == 63);
  count_ = 0;
  energy_ = 0;
}

}  // namespace pixpress
