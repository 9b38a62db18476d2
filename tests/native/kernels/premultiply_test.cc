#include "kernels/premultiply.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/all_targets.h"

namespace pixpress {
namespace {

// Pixels of every color and alpha near the ends and between: an odd number of them.
std::vector<uint16_t> WidePixels(size_t channels) {
  std::vector<uint16_t> values = {0,   1,     2,     3,     127,   128,  255,
                                  256, 32766, 32767, 32768, 65533, 65534};
  for (uint32_t value = 0; value <= 65535; value += 257) {
    values.push_back(static_cast<uint16_t>(value));
  }
  std::vector<uint16_t> pixels;
  for (const uint16_t alpha : values) {
    for (const uint16_t color : values) {
      for (size_t c = 1; c < channels; ++c) pixels.push_back(static_cast<uint16_t>(color + c - 1));
      pixels.push_back(alpha);
    }
  }
  return pixels;
}

TEST(PremultiplyTest, WideColorIsItsRoundedProductWithAlphaOnAllTargets) {
  for (const size_t channels : {2, 4}) {
    const std::vector<uint16_t> in = WidePixels(channels);
    ForEachTarget([&](const char* target) {
      std::vector<int16_t> out(in.size());
      PremultiplyWideRow(in.data(), channels, in.size() / channels, out.data());
      for (size_t i = 0; i < in.size(); ++i) {
        const size_t alpha_at = i - i % channels + channels - 1;
        const uint64_t alpha = i == alpha_at ? 65535 : in[alpha_at];
        const auto expected = static_cast<int64_t>((in[i] * alpha + 32767) / 65535);
        ASSERT_EQ(out[i] + 32768, expected) << target << ": " << in[i] << " * " << alpha;
      }
    });
  }
}

TEST(PremultiplyTest, WideColorIsDividedByAlphaRoundedAndSaturatedOnAllTargets) {
  for (const size_t channels : {2, 4}) {
    const std::vector<uint16_t> weighed = WidePixels(channels);
    std::vector<int16_t> in;
    for (const uint16_t value : weighed) in.push_back(static_cast<int16_t>(value - 32768));
    ForEachTarget([&](const char* target) {
      std::vector<uint16_t> out(in.size());
      UnpremultiplyWideRow(in.data(), channels, in.size() / channels, out.data());
      for (size_t i = 0; i < in.size(); ++i) {
        const size_t alpha_at = i - i % channels + channels - 1;
        const uint64_t alpha = i == alpha_at ? 65535 : weighed[alpha_at];
        const uint64_t quotient =
            alpha == 0 ? 0 : (uint64_t{weighed[i]} * 65535 + alpha / 2) / alpha;
        ASSERT_EQ(out[i], std::min<uint64_t>(quotient, 65535))
            << target << ": " << weighed[i] << " / " << alpha;
      }
    });
  }
}

}  // namespace
}  // namespace pixpress
