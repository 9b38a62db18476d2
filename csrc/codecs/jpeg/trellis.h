#pragma once
// Requantizes the AC coefficients of blocks so that bits are spent where they are seen most.

#include <array>
#include <cstdint>
#include <cstring>

#include "codecs/jpeg/entropy_encoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/tokens.h"
#include "kernels/trellis.h"

namespace pixpress {

// Takes a block's coefficients one by one, then puts its tokens. Used by one thread.
class JpegTrellis {
  static constexpr uint32_t kMultiplierBits = 24;
  struct Factor {
    uint64_t multiplier = 0;  // To 1 / TrellisValue::kUnit of a step of the target.
    uint64_t energy = 0;      // Of a value of 1.
  };

 public:
  // By component, in zigzag order. The source's steps are in eighths.
  using Steps = std::array<std::array<uint32_t, 64>, 3>;
  JpegTrellis(const Steps& source_eighths, const Steps& target);

  // From here on a level is what is nearest, whatever it takes.
  void OnlyRound() { only_rounds_ = true; }
  bool chooses() const { return !only_rounds_; }
  // DC tokens are to have what rounding leaves over.
  void KeepDcErrors() { keeps_dc_errors_ = true; }
  bool keeps_dc_errors() const { return keeps_dc_errors_; }
  // Symbols will take from here on what these counts say; at first what the standard tables do.
  void LearnRates(const JpegImageCounts& counts);

  // A coefficient in steps of the source, k being at most 79: those beyond the block are dropped.
  void Add(size_t component, uint32_t k, JpegValue value) {
    const Factor& factor = factors_[component][k];
    energy_ += factor.energy * value.magnitude * value.magnitude;
    const auto magnitude =
        static_cast<uint32_t>(factor.multiplier * value.magnitude >> kMultiplierBits);
    values_[count_] = {k, magnitude, LevelOf(magnitude)};
    signs_[count_] = value.sign;
    count_ += values_[count_].level != 0 ? 1 : 0;
  }
  void Put(size_t component, JpegTokenWriter& out);
  // AC coefficients of a block in memory, to be put when rates are known: their number, and if
  // there are any, their weight, and each one's position, sign and magnitude in 32 bits.
  class Draft {
   public:
    // Takes kMaxBlockDraft - 1 tokens from `begin` on at most.
    Draft(const JpegTrellis& trellis, size_t component, JpegToken* begin)
        : factors_(trellis.factors_[component]), is_chroma_(component > 0), begin_(begin) {}
    void Add(uint32_t k, JpegValue value) {
      const Factor& factor = factors_[k];
      energy_ += factor.energy * value.magnitude * value.magnitude;
      const auto magnitude =
          static_cast<uint32_t>(factor.multiplier * value.magnitude >> kMultiplierBits);
      const uint32_t word = magnitude << 7 | (value.sign & 64) | (k & 63);
      std::memcpy(begin_ + 3 + 2 * size_t{count_}, &word, sizeof word);
      count_ += LevelOf(magnitude) != 0 ? 1 : 0;
    }
    JpegToken* End() const;

   private:
    const std::array<Factor, 80>& factors_;
    const bool is_chroma_;
    JpegToken* const begin_;
    uint64_t energy_ = 0;
    uint32_t count_ = 0;
  };
  // May write over what it reads. Returns what is after it.
  const JpegToken* PutDraft(const JpegToken* next, size_t component, JpegTokenWriter& out);

 private:
  // A tie goes to the smaller level, which costs less and is as far off.
  static uint32_t LevelOf(uint32_t magnitude) {
    return (magnitude + TrellisValue::kUnit / 2 - 1) / TrellisValue::kUnit;
  }
  void PutValues(uint32_t weight, bool is_chroma, JpegTokenWriter& out);

  std::array<std::array<Factor, 80>, 3> factors_ = {};
  std::array<TrellisRates, 2> rates_ = {};
  bool only_rounds_ = false;
  bool keeps_dc_errors_ = false;
  // The block.
  std::array<TrellisValue, 64> values_;
  std::array<uint32_t, 64> signs_;
  uint32_t count_ = 0;
  uint64_t energy_ = 0;
};

}  // namespace pixpress
