#include "codecs/jpeg/entropy_decoder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "codecs/jpeg/differential.h"
#include "codecs/jpeg/fixture.h"

namespace pixpress {
namespace {

constexpr uint32_t kSeed = 20240612;

void ExpectSameCoefficients(Bytes jpeg) {
  const JpegCoefficientRead own = ReadOwnCoefficients(jpeg);
  const JpegCoefficientRead library = ReadLibraryCoefficients(jpeg);
  ASSERT_TRUE(library.is_ok);
  ASSERT_TRUE(own.is_ok);
  EXPECT_TRUE(own.coefficients == library.coefficients);
}

TEST(JpegEntropyDecoder, EverySamplingSizeAndRestartIntervalReadsAsLibjpegReadsIt) {
  const std::pair<uint32_t, uint32_t> sizes[] = {{1, 1},   {1, 77},  {77, 1},   {8, 8},
                                                 {17, 16}, {97, 61}, {160, 128}};
  for (const auto& [width, height] : sizes) {
    for (const unsigned interval : {0u, 1u, 3u, 100u}) {
      for (const JpegRecipe& recipe :
           EverySampling({.width = width, .height = height, .restart_interval = interval})) {
        SCOPED_TRACE(testing::Message()
                     << width << "x" << height << " restarts " << interval << " luma "
                     << recipe.sampling[0].h << "x" << recipe.sampling[0].v);
        ExpectSameCoefficients(MakeJpeg(recipe));
      }
    }
  }
}

TEST(JpegEntropyDecoder, EveryQualityWithAndWithoutOptimizedTablesReadsAsLibjpegReadsIt) {
  for (int quality = 1; quality <= 100; ++quality) {
    for (const bool is_optimized : {false, true}) {
      SCOPED_TRACE(quality);
      ExpectSameCoefficients(MakeJpeg({.width = 120,
                                       .height = 90,
                                       .sampling = {Sampling{2, 2}},
                                       .quality = quality,
                                       .noise = quality % 3 == 0 ? 255 : 20,
                                       .is_optimized = is_optimized}));
    }
  }
}

TEST(JpegEntropyDecoder, NoiseFillsWholeBlocksAndLongCodes) {
  // At quality 100 the last coefficient of many blocks is not zero, and codes are of 16 bits.
  ExpectSameCoefficients(MakeJpeg({.width = 256, .height = 256, .quality = 100, .noise = 255}));
  ExpectSameCoefficients(
      MakeJpeg({.width = 256, .height = 256, .quality = 100, .noise = 255, .restart_interval = 5}));
}

TEST(JpegEntropyDecoder, WhatIsNotSequentialHuffmanInOneScanIsLeftToLibjpeg) {
  EXPECT_FALSE(ParseJpegFrame(MakeJpeg({.is_progressive = true})).ok());
  EXPECT_FALSE(ParseJpegFrame(MakeJpeg({.is_arithmetic = true})).ok());
  EXPECT_FALSE(ParseJpegFrame(MakeJpeg({.stored = JCS_CMYK})).ok());
  EXPECT_TRUE(ParseJpegFrame(MakeJpeg({})).ok());
}

TEST(JpegEntropyDecoder, EveryTruncationIsRefused) {
  for (const unsigned interval : {0u, 2u}) {
    const auto whole = MakeJpeg({.width = 40, .height = 40, .restart_interval = interval});
    for (size_t size = 0; size + 1 < whole.size(); ++size) {
      ASSERT_FALSE(ReadOwnCoefficients(Bytes(whole).first(size)).is_ok) << size;
      // With the end marker it is the data that is missing.
      std::vector<uint8_t> cut(whole.begin(), whole.begin() + size);
      cut.insert(cut.end(), {0xFF, 0xD9});
      if (size + 2 == whole.size()) continue;
      ASSERT_FALSE(ReadOwnCoefficients(cut).is_ok) << size;
    }
  }
}

TEST(JpegEntropyDecoder, EveryCorpusFileThatItTakesReadsAsLibjpegReadsIt) {
  const char* given = std::getenv("PIXPRESS_CORPUS");
  const std::filesystem::path corpus =
      given != nullptr
          ? given
          : std::filesystem::path(__FILE__).parent_path() / "../../../../shared/corpus";
  if (!std::filesystem::is_directory(corpus)) GTEST_SKIP() << "no corpus at " << corpus;
  int taken = 0;
  for (const char* folder : {"odd_jpeg", "photos_jpeg"}) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus / folder)) {
      SCOPED_TRACE(entry.path().string());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
      const JpegCoefficientRead own = ReadOwnCoefficients(bytes);
      if (!own.is_ok) continue;
      ++taken;
      const JpegCoefficientRead library = ReadLibraryCoefficients(bytes);
      ASSERT_TRUE(library.is_ok);
      EXPECT_TRUE(own.coefficients == library.coefficients);
    }
  }
  EXPECT_GE(taken, 9) << "the photographs at least";
}

// Change a few bytes, mostly of the scan, or bits of them.
std::vector<uint8_t> Mutated(std::vector<uint8_t> bytes, std::mt19937& random) {
  const size_t changes = 1 + random() % 3;
  for (size_t i = 0; i < changes; ++i) {
    const size_t at = 2 + random() % (bytes.size() - 2);
    switch (random() % 4) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(random());
        break;
      case 2:
        bytes.erase(bytes.begin() + at);
        break;
      default:
        bytes.insert(bytes.begin() + at, static_cast<uint8_t>(random() % 4 ? random() : 0xFF));
    }
  }
  return bytes;
}

TEST(JpegEntropyDecoder, WhatItReadsOfMutatedFilesLibjpegReadsToo) {
  std::mt19937 random(kSeed);
  std::vector<std::vector<uint8_t>> seeds;
  for (const unsigned interval : {0u, 2u}) {
    for (const int noise : {10, 255}) {
      for (JpegRecipe recipe : EverySampling({.width = 50, .height = 40})) {
        recipe.restart_interval = interval;
        recipe.noise = noise;
        recipe.is_optimized = noise == 10;
        seeds.push_back(MakeJpeg(recipe));
      }
    }
  }
  constexpr int kInputs = 20000;
  int both = 0, only_library = 0;
  for (int i = 0; i < kInputs; ++i) {
    const auto bytes = Mutated(seeds[random() % seeds.size()], random);
    if (!IsSmallJpeg(bytes)) continue;
    const JpegCoefficientRead own = ReadOwnCoefficients(bytes);
    const JpegCoefficientRead library = ReadLibraryCoefficients(bytes);
    both += own.is_ok;
    only_library += library.is_ok && !own.is_ok;
    if (!own.is_ok) continue;
    ASSERT_TRUE(library.is_ok) << "seed " << kSeed << ", input " << i;
    ASSERT_TRUE(own.coefficients == library.coefficients) << "seed " << kSeed << ", input " << i;
  }
  std::printf("seed %u: %d of %d read by both, %d by libjpeg only\n", kSeed, both, kInputs,
              only_library);
  // libjpeg takes values beyond the end of a block without a word; ours leaves them to it.
  EXPECT_GT(both, kInputs / 10);
}

}  // namespace
}  // namespace pixpress
