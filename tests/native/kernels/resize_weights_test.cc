#include "kernels/resize_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace pixpress {
namespace {

constexpr Filter kAllFilters[] = {Filter::kNearest, Filter::kBox,     Filter::kBilinear,
                                  Filter::kHamming, Filter::kBicubic, Filter::kMitchell,
                                  Filter::kLanczos};

class ResizeWeightsTest : public testing::TestWithParam<Filter> {};

TEST_P(ResizeWeightsTest, EveryWindowAddsUpToOneAndStaysInside) {
  for (const auto& [in, out] : {std::pair{7u, 3u}, {3u, 7u}, {5000u, 3u}, {1u, 9u}, {640u, 639u}}) {
    const ResizeAxis axis = ResizeAxis::Whole(in, out);
    const ResizeWeights made = ResizeWeights::Make(axis, GetParam());
    ASSERT_EQ(made.windows.size(), out);
    for (const auto& window : made.windows) {
      const auto begin = made.weights.begin() + static_cast<ptrdiff_t>(window.offset);
      EXPECT_EQ(std::accumulate(begin, begin + window.count, 0), 1 << kWeightBits);
      EXPECT_GE(window.count, 1u);
      EXPECT_LE(window.first + window.count, in);
      EXPECT_LE(window.count, made.most_taps);
    }
    EXPECT_LE(made.most_taps, MostTaps(axis, GetParam()));
  }
}

TEST_P(ResizeWeightsTest, MirroredWindowsDifferByRoundingOnly) {
  if (GetParam() == Filter::kNearest) GTEST_SKIP() << "takes the sample to the right of a tie";
  const ResizeWeights made = ResizeWeights::Make(ResizeAxis::Whole(1000, 77), GetParam());
  for (size_t i = 0; i < made.windows.size(); ++i) {
    const auto& window = made.windows[i];
    const auto& mirror = made.windows[made.windows.size() - 1 - i];
    double at = 0, mirrored_at = 0;
    for (size_t t = 0; t < window.count; ++t) {
      at += (window.first + t + 0.5) * made.weights[window.offset + t];
    }
    for (size_t t = 0; t < mirror.count; ++t) {
      mirrored_at += (mirror.first + t + 0.5) * made.weights[mirror.offset + t];
    }
    EXPECT_NEAR(at / (1 << kWeightBits), 1000 - mirrored_at / (1 << kWeightBits), 0.06) << i;
  }
}

TEST_P(ResizeWeightsTest, UniformWindowsBeginAtAPairAndWeighTheSameSamples) {
  for (const auto& [in, out] : {std::pair{7u, 3u}, {3u, 7u}, {5001u, 3u}, {1u, 9u}, {641u, 160u}}) {
    const ResizeAxis axis = ResizeAxis::Whole(in, out);
    const ResizeWeights exact = ResizeWeights::Make(axis, GetParam());
    const UniformWeights made = UniformWeights::Make(axis, GetParam());
    EXPECT_EQ(made.taps % 2, 0u);
    EXPECT_LE(made.taps, UniformWeights::MostTaps(axis, GetParam()));
    ASSERT_EQ(made.firsts.size(), out);
    EXPECT_TRUE(std::is_sorted(made.firsts.begin(), made.firsts.end()));
    for (size_t i = 0; i < out; ++i) {
      EXPECT_EQ(made.firsts[i] % 2, 0u);
      EXPECT_LE(made.firsts[i] + made.taps, std::max<size_t>(in + 1, made.taps));
      const auto& window = exact.windows[i];
      for (size_t t = 0; t < made.taps; ++t) {
        const size_t at = made.firsts[i] + t - window.first;  // Wraps before the window.
        EXPECT_EQ(made.WeightsOf(i)[t], at < window.count ? exact.weights[window.offset + at] : 0);
      }
    }
  }
}

TEST_P(ResizeWeightsTest, WeightsThatComeAgainAreThoseOfTheirOwnWindow) {
  // 4032 to 1600 repeats its weights after 25 windows, 1000 to 250 after each, 643 to 161 never.
  // None has a sample at the very end of a box, where rounding decides.
  for (const auto& [in, out] :
       {std::pair{4032u, 1600u}, {1000u, 250u}, {300u, 800u}, {643u, 161u}}) {
    const ResizeAxis axis = ResizeAxis::Whole(in, out);
    const ResizeWeights made = ResizeWeights::Make(axis, GetParam());
    for (uint32_t i = 0; i < out; ++i) {
      ResizeAxis alone = axis;  // One window, which cannot repeat another.
      alone.out_size = 1;
      alone.offset = i * axis.scale;
      const ResizeWeights exact = ResizeWeights::Make(alone, GetParam());
      // Zeros at an end are left out.
      const auto at = [](const ResizeWeights& from, size_t window, uint32_t sample) -> int {
        const auto& [first, count, offset] = from.windows[window];
        return sample >= first && sample < first + count ? from.weights[offset + sample - first]
                                                         : 0;
      };
      const uint32_t begin = std::min(made.windows[i].first, exact.windows[0].first);
      for (uint32_t sample = begin; sample < begin + made.most_taps + 1; ++sample) {
        EXPECT_NEAR(at(made, i, sample), at(exact, 0, sample), 1) << i << ": " << sample;
      }
    }
  }
}

TEST_P(ResizeWeightsTest, MemoryIsBounded) {
  const ResizeAxis axis = ResizeAxis::Whole(4000, 1600);
  const ResizeWeights made = ResizeWeights::Make(axis, GetParam());
  EXPECT_LE(made.windows.capacity() * sizeof(made.windows[0]) +
                made.weights.capacity() * sizeof(made.weights[0]),
            ResizeWeights::MemoryBytes(axis, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(AllFilters, ResizeWeightsTest, testing::ValuesIn(kAllFilters));

TEST(ResizeWeightsTest, AWindowBeyondTheEdgeRepeatsTheEdge) {
  ResizeAxis axis = ResizeAxis::Whole(4, 4);
  axis.offset = 100.0;
  const ResizeWeights made = ResizeWeights::Make(axis, Filter::kLanczos);
  for (const auto& window : made.windows) {
    EXPECT_EQ(window.first, 3u);
    EXPECT_EQ(window.count, 1u);
  }
}

}  // namespace
}  // namespace pixpress
