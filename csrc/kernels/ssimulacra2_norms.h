#pragma once
// From the error norms of SSIMULACRA2 to its score.

#include <array>
#include <cstddef>
#include <span>

#include "kernels/ssimulacra2_rows.h"

namespace pixpress {

inline constexpr size_t kMostScoreScales = 6;

// Of one scale, by component: means, and fourth roots of means of fourth powers, in the order of
// the sums of a row.
using ScoreNorms = std::array<std::array<double, kScoreSums>, 3>;

// Does the score depend on this component of this scale? Weights that move it by no more than some
// thousandths do not count: those of color in fine scales, which are most of the work.
bool IsWeighty(size_t component, size_t scale, size_t scales);

// 100 for no error at all, and then less, without a lower bound. The same bits on every machine.
double ScoreOfNorms(std::span<const ScoreNorms> scales);

}  // namespace pixpress
