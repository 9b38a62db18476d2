#include "codecs/jpeg/dc_trellis.h"

#include <cmath>
#include <random>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/scan_coder.h"

namespace pixpress {
namespace {

constexpr uint32_t kColumns = 21, kRows = 9;

class JpegDcTrellisTest : public JpegTest {
 protected:
  // 4:2:0, in MCUs.
  JpegDcTrellisTest() {
    frame_.component_count = 3;
    frame_.components[0].h = frame_.components[0].v = frame_.max_h = frame_.max_v = 2;
    frame_.mcu_columns = kColumns;
    frame_.mcu_rows = kRows;
    frame_.width = kColumns * 16 - 5;
    frame_.height = kRows * 16 - 9;
  }

  // Blocks with nothing but DC, in sixteenths of a step, which goes up and down by `spread`.
  void Fill(JpegImageTokens* image, int spread, unsigned seed) {
    ASSERT_TRUE(image->Start().ok());
    std::mt19937 random(seed);
    std::array<int32_t, 3> sixteenths = {}, last = {};
    for (uint32_t row = 0; row < kRows; ++row) {
      std::vector<JpegToken> tokens(kColumns * frame_.mcu_blocks() * 2);
      JpegTokenWriter writer(tokens.data());
      for (uint32_t column = 0; column < kColumns; ++column) {
        for (size_t c = 0; c < 3; ++c) {
          for (int i = 0; i < frame_.components[c].h * frame_.components[c].v; ++i) {
            sixteenths[c] += static_cast<int32_t>(random() % (2 * spread + 1)) - spread;
            const int32_t level = (sixteenths[c] + 8) >> 4;
            writer.PutDc(level - last[c], sixteenths[c] - 16 * level);
            writer.PutEnd(false);
            last[c] = level;
            exact_[c].push_back(sixteenths[c]);
          }
        }
      }
      const std::span<const JpegToken> rows[] = {tokens};
      ASSERT_TRUE(image->PutRows(rows, parallel_).ok());
    }
  }
  // The levels of a component in the order of coding.
  std::vector<int32_t> Levels(const JpegImageTokens& image, size_t c) const {
    std::vector<int32_t> levels;
    const JpegFrameComponent& own = frame_.components[c];
    for (uint32_t row = 0; row < kRows; ++row) {
      for (uint32_t column = 0; column < kColumns; ++column) {
        for (uint32_t y = 0; y < own.v; ++y) {
          for (uint32_t x = 0; x < own.h; ++x) {
            levels.push_back(image.Dc(c, row * own.v + y)[column * own.h + x]);
          }
        }
      }
    }
    return levels;
  }
  // What a scan of all DC takes with the best codes that there could be.
  double ScanBits(const JpegImageTokens& image) {
    const JpegScanSymbols symbols = CountJpegScan(image, {0, 3, 0, 0, 0, 0}, context_).value();
    auto bits = static_cast<double>(symbols.other_bits);
    for (const JpegSymbolCounts& counts : symbols.counts) {
      double sum = 0;
      for (const uint32_t count : counts) sum += count;
      for (const uint32_t count : counts) bits -= count > 0 ? count * std::log2(count / sum) : 0;
    }
    return bits;
  }
  double SquaredError(const JpegImageTokens& image) const {
    double sum = 0;
    for (size_t c = 0; c < 3; ++c) {
      const std::vector<int32_t> levels = Levels(image, c);
      for (size_t i = 0; i < levels.size(); ++i) {
        const double error = levels[i] - exact_[c][i] / 16.0;
        sum += error * error;
      }
    }
    return sum;
  }

  JpegFrame frame_;
  std::array<std::vector<int32_t>, 3> exact_;
};

TEST_F(JpegDcTrellisTest, SavesMoreBitsThanItsErrorsAreWorth) {
  JpegImageTokens image(frame_, meter_);
  Fill(&image, 24, 1);
  const double bits = ScanBits(image), error = SquaredError(image);
  for (size_t c = 0; c < 3; ++c) ASSERT_TRUE(ChooseJpegDc(context_, c, &image).ok());
  EXPECT_LT(ScanBits(image), bits * 0.98);
  EXPECT_GE(SquaredError(image), error);
  EXPECT_LT(ScanBits(image) + 9 * SquaredError(image), bits + 9 * error);
}

TEST_F(JpegDcTrellisTest, LevelsChangeByOneAtMost) {
  JpegImageTokens image(frame_, meter_);
  Fill(&image, 40, 2);
  for (size_t c = 0; c < 3; ++c) ASSERT_TRUE(ChooseJpegDc(context_, c, &image).ok());
  for (size_t c = 0; c < 3; ++c) {
    const std::vector<int32_t> levels = Levels(image, c);
    size_t changed = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
      const int32_t rounded = (exact_[c][i] + 8) >> 4;
      EXPECT_LE(std::abs(levels[i] - rounded), 1);
      changed += levels[i] != rounded ? 1 : 0;
    }
    EXPECT_GT(changed, 0u);
    EXPECT_LT(changed, levels.size() / 2);
  }
}

TEST_F(JpegDcTrellisTest, WhatIsHeldIsWhatIsSaid) {
  Meter meter(pool_);
  const WorkContext context{meter, context_.stop, parallel_};
  const uint64_t row_blocks = uint64_t{kColumns} * frame_.mcu_blocks();
  {
    JpegImageTokens image(frame_, meter);
    Fill(&image, 30, 3);
    for (size_t c = 0; c < 3; ++c) ASSERT_TRUE(ChooseJpegDc(context, c, &image).ok());
  }
  EXPECT_LE(meter.peak_bytes(),
            JpegImageTokens::MemoryBytes(row_blocks, kRows) + JpegDcTrellisBytes(row_blocks));
  EXPECT_EQ(meter.current_bytes(), 0u);
}

TEST_F(JpegDcTrellisTest, AStopEndsIt) {
  JpegImageTokens image(frame_, meter_);
  Fill(&image, 30, 4);
  StopSource stop;
  stop.RequestStop(StopReason::kCancelled);
  const WorkContext context{meter_, StopToken(stop), parallel_};
  EXPECT_FALSE(ChooseJpegDc(context, 0, &image).ok());
}

}  // namespace
}  // namespace pixpress
