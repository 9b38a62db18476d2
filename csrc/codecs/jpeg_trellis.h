#pragma once
// Requantizes the AC coefficients of blocks so that bits are spent where they are seen most.

#include <array>
#include <cstdint>

#include "codecs/jpeg_entropy_encoder.h"
#include "codecs/jpeg_frame.h"
#include "codecs/jpeg_tokens.h"
#include "kernels/trellis.h"

namespace pixpress {

// Takes a block's coefficients one by one, then puts its tokens. Used by one thread.
class JpegTrellis {
 public:
  // By component, in zigzag order. The source's steps are in eighths.
  using Steps = std::array<std::array<uint32_t, 64>, 3>;
  JpegTrellis(const Steps& source_eighths, const Steps& target);

  // What symbols will take from here on; those of the standard tables at first.
  void SetRates(const JpegHuffmanSpecs& specs);

  // A coefficient in steps of the source, k being at most 79: those beyond the block are dropped.
  void Add(size_t component, uint32_t k, JpegValue value) {
    const Factor& factor = factors_[component][k];
    energy_ += factor.energy * value.magnitude * value.magnitude;
    const auto magnitude =
        static_cast<uint32_t>(factor.multiplier * value.magnitude >> kMultiplierBits);
    // A tie goes to the smaller level, which costs less and is as far off.
    const uint32_t level = (magnitude + TrellisValue::kUnit / 2 - 1) / TrellisValue::kUnit;
    values_[count_] = {k, magnitude, level};
    signs_[count_] = value.sign;
    count_ += level != 0 ? 1 : 0;
  }
  void Put(size_t component, JpegTokenWriter& out);

 private:
  static constexpr uint32_t kMultiplierBits = 24;
  struct Factor {
    uint64_t multiplier = 0;  // To 1 / TrellisValue::kUnit of a step of the target.
    uint64_t energy = 0;      // Of a value of 1.
  };

  std::array<std::array<Factor, 80>, 3> factors_ = {};
  std::array<TrellisRates, 2> rates_ = {};
  // The block.
  std::array<TrellisValue, 64> values_;
  std::array<uint32_t, 64> signs_;
  uint32_t count_ = 0;
  uint64_t energy_ = 0;
};

}  // namespace pixpress
