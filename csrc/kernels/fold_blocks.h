#pragma once
// Two or four neighboring 8 x 8 blocks of DCT coefficients to one of half the resolution, without
// samples. SIMD with run-time dispatch; the same on every target. Thread-safe; never blocks.

#include <array>
#include <cstdint>

namespace pixpress {

// The blocks of a square or of half of one, of which those that are folded away may be null: right
// and lower ones beyond the image's edge continue as mirror images. Row by row.
struct BlockSquare {
  const int16_t* upper_left = nullptr;
  const int16_t* upper_right = nullptr;
  const int16_t* lower_left = nullptr;
  const int16_t* lower_right = nullptr;
};

// Quantization steps, row by row, at least 1.
struct FoldSteps {
  std::array<int32_t, 64> source = {};
  std::array<int32_t, 64> target = {};
};

// Coefficients are held in 1/8 so that two roundings do no harm.
inline constexpr int kFoldUnitBits = 3;
// Steps of the source, and reciprocals of the target's in these units.
struct FoldFactors {
  std::array<int32_t, 64> steps = {};
  std::array<float, 64> reciprocals = {};
};
FoldFactors MakeFoldFactors(const FoldSteps& steps);

// The block of half the width, the height or both; at least one of them. Ties go to zero, and no
// magnitude is above 1023.
void FoldBlocks(const BlockSquare& from, bool folds_h, bool folds_v, const FoldFactors& factors,
                int16_t* to);

}  // namespace pixpress
