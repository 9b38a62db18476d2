#include "codecs/jpeg/block_finder.h"

#include <random>
#include <vector>

#include "codecs/jpeg/fixture.h"
#include "kernels/inverse_dct.h"

namespace pixpress {
namespace {

// Of each MCU its samples, block by block; those of MCUs that are not in order are left out.
using Samples = std::vector<uint8_t>;

constexpr int32_t kStep = 2;

class JpegBlockFinderTest : public JpegTest {
 protected:
  // MCUs from the decoder's place on.
  void ReadRest(const JpegFrame& frame, JpegEntropyDecoder& decoder, uint64_t mcus, Samples* all) {
    for (; mcus < frame.mcu_count() && decoder.BeginMcu(); ++mcus) {
      Samples mcu;
      JpegBitReader in = decoder.reader();
      for (size_t c = 0; c < frame.component_count; ++c) {
        for (int i = 0; i < frame.components[c].h * frame.components[c].v; ++i) {
          int16_t block[64];
          if (!decoder.ReadBlock(in, c, block)) return;
          mcu.push_back(InverseDctFlat(block[0], kStep));
        }
      }
      decoder.reader() = in;
      if (!decoder.EndMcu()) return;
      all->insert(all->end(), mcu.begin(), mcu.end());
    }
  }

  Samples ReadByDecoder(const JpegFrame& frame) {
    Samples all;
    JpegEntropyDecoder decoder;
    EXPECT_TRUE(decoder.Start(frame, meter_).ok());
    ReadRest(frame, decoder, 0, &all);
    return all;
  }

  // `found` counts MCUs that the decoder did not read.
  Samples ReadByFinder(const JpegFrame& frame, uint64_t* found) {
    JpegEntropyDecoder decoder;
    EXPECT_TRUE(decoder.Start(frame, meter_).ok());
    std::array<JpegSkipTable, 3> dc, ac;
    JpegBlockFinder::SkipTables dc_of = {}, ac_of = {};
    JpegBlockFinder::Targets targets;
    std::array<std::vector<uint8_t>, 3> rows;
    for (size_t c = 0; c < frame.component_count; ++c) {
      dc[c].Build(decoder.dc_table(c), true);
      ac[c].Build(decoder.ac_table(c), false);
      dc_of[c] = &dc[c];
      ac_of[c] = &ac[c];
      const size_t stride_bytes = frame.block_columns(c);
      rows[c].resize(stride_bytes * frame.components[c].v);
      targets[c] = {rows[c].data(), stride_bytes, kStep};
    }
    JpegBlockFinder finder;
    EXPECT_TRUE(finder.Start(frame, decoder, dc_of, ac_of, meter_).ok());
    Samples all;
    *found = 0;
    for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
      const uint32_t count = finder.ReadFlat(frame.mcu_columns, targets);
      *found += count;
      for (uint32_t column = 0; column < count; ++column) {
        for (size_t c = 0; c < frame.component_count; ++c) {
          const uint32_t h = frame.components[c].h;
          for (uint32_t y = 0; y < frame.components[c].v; ++y) {
            const uint8_t* const from =
                rows[c].data() + y * targets[c].stride_bytes + size_t{column} * h;
            all.insert(all.end(), from, from + h);
          }
        }
      }
      if (count < frame.mcu_columns) break;
    }
    if (*found < frame.mcu_count()) ReadRest(frame, decoder, *found, &all);
    return all;
  }

  // Returns how many MCUs were found.
  uint64_t ExpectTheSame(Bytes jpeg) {
    const Result<JpegFrame> frame = ParseJpegFrame(jpeg);
    if (!frame.ok()) return 0;
    uint64_t found = 0;
    const Samples by_finder = ReadByFinder(frame.value(), &found);
    EXPECT_TRUE(by_finder == ReadByDecoder(frame.value()));
    return found;
  }
};

TEST_F(JpegBlockFinderTest, MostMcusOfEverySamplingAreFoundAsTheDecoderReadsThem) {
  for (const bool is_optimized : {false, true}) {
    for (const JpegRecipe& recipe :
         EverySampling({.width = 700, .height = 501, .noise = 50, .is_optimized = is_optimized})) {
      SCOPED_TRACE(testing::Message() << "luma " << recipe.sampling[0].h << "x"
                                      << recipe.sampling[0].v << " optimized " << is_optimized);
      const auto jpeg = MakeJpeg(recipe);
      const uint64_t mcus = ParseJpegFrame(jpeg).value().mcu_count();
      EXPECT_GT(ExpectTheSame(jpeg), mcus * 3 / 4);
    }
  }
}

TEST_F(JpegBlockFinderTest, FlatAndDenseBlocksAreFoundAsTheDecoderReadsThem) {
  for (const int quality : {1, 50, 100}) {
    for (const int noise : {0, 20, 255}) {
      SCOPED_TRACE(testing::Message() << quality << " noise " << noise);
      ExpectTheSame(MakeJpeg({.width = 1200,
                              .height = 900,
                              .sampling = {Sampling{2, 1}},
                              .quality = quality,
                              .noise = noise}));
    }
  }
}

TEST_F(JpegBlockFinderTest, DamageIsLeftToTheDecoderAfterTheSameMcus) {
  std::mt19937 random(20240613);
  const auto whole =
      MakeJpeg({.width = 500, .height = 400, .sampling = {Sampling{2, 2}}, .noise = 60});
  const auto begin = static_cast<size_t>(ParseJpegFrame(whole).value().scan.data() - whole.data());
  uint64_t found = 0;
  for (int i = 0; i < 300; ++i) {
    auto jpeg = whole;
    for (uint32_t change = 0; change <= random() % 3; ++change) {
      jpeg[begin + random() % (jpeg.size() - begin)] = static_cast<uint8_t>(random());
    }
    SCOPED_TRACE(i);
    found += ExpectTheSame(jpeg);
    if (HasFailure()) return;
  }
  EXPECT_GT(found, 1000u);
}

}  // namespace
}  // namespace pixpress
