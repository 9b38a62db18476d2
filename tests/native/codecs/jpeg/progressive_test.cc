#include "codecs/jpeg/progressive.h"

#include <algorithm>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/requantize.h"
#include "codecs/jpeg/scan_coder.h"
#include "codecs/jpeg/scan_search.h"
#include "codecs/jpeg/scan_tables.h"
#include "codecs/jpeg/token_maker.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

class JpegProgressiveTest : public JpegTest {
 protected:
  // The same coefficients in other scans, with the promise about memory checked.
  std::vector<uint8_t> WithScansOf(int effort, Bytes jpeg) {
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    const EncodeOptions options = {.quality = 100,
                                   .effort = effort,
                                   .progressive = Progressive::kOn,
                                   .chroma_h = info.planar.max_h_samples(),
                                   .chroma_v = info.planar.max_v_samples()};
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    std::vector<uint8_t> flat;
    {
      ByteChain out(meter);
      const auto made = TranscodeJpeg(jpeg, info, options, limits_, {}, context, &out);
      EXPECT_TRUE(made.ok() && made.value());
      flat = Flat(out);
    }
    EXPECT_LE(meter.peak_bytes(), JpegTranscodeMemoryBytes(info, options));
    EXPECT_EQ(meter.current_bytes(), 0u);
    return flat;
  }
  static size_t ScanCount(Bytes jpeg) {
    JpegWalker walker(jpeg);
    JpegSegment segment;
    size_t count = 0;
    while (walker.Next(&segment)) count += segment.marker == kJpegSos ? 1 : 0;
    return count;
  }
};

// Tokens of blocks of one component that have `values` after DC.
class Tokens {
 public:
  explicit Tokens(uint32_t columns, uint32_t rows) {
    frame_.width = columns * 8;
    frame_.height = rows * 8;
    frame_.component_count = 1;
    frame_.mcu_columns = columns;
    frame_.mcu_rows = rows;
  }
  const JpegFrame& frame() const { return frame_; }
  void PutRow(JpegImageTokens& image, uint32_t row) const {
    std::vector<JpegToken> tokens(size_t{frame_.mcu_columns} * kMaxBlockTokens + kTokenSlack);
    JpegTokenWriter writer(tokens.data());
    for (uint32_t x = 0; x < frame_.mcu_columns; ++x) {
      writer.PutDc(static_cast<int32_t>(x % 7) - 3);
      uint32_t last = 0;
      for (uint32_t k = 1; k < 64; ++k) {
        const uint32_t magnitude = Magnitude(row * frame_.mcu_columns + x, k);
        writer.PutAc(k, {magnitude, k % 3 == 0 ? ~0u : 0}, &last);
      }
      writer.PutEnd(last == 63);
    }
    tokens.resize(static_cast<size_t>(writer.next() - tokens.data()));
    const std::span<const JpegToken> rows[] = {tokens};
    SerialParallel parallel;
    ASSERT_TRUE(image.PutRows(rows, parallel).ok());
  }

 private:
  // Of every size, and fewer the higher the frequency.
  static uint32_t Magnitude(uint32_t block, uint32_t k) {
    const uint32_t noise = (block * 2654435761u) ^ (k * 40503u * (block + 1));
    return noise % (k + 1) > 1 ? 0 : noise >> 8 & ((1u << (noise >> 20) % 11) - 1);
  }
  JpegFrame frame_;
};

std::vector<JpegRecipe> Recipes() {
  std::vector<JpegRecipe> recipes;
  for (const auto& [width, height] : {std::pair{1u, 1u}, {9u, 7u}, {97u, 61u}, {200u, 170u}}) {
    for (const int quality : {30, 80, 97}) {
      const JpegRecipe base = {.width = width, .height = height, .quality = quality, .noise = 60};
      for (const JpegRecipe& recipe : EverySampling(base)) {
        if (recipe.stored == JCS_YCbCr || recipe.stored == JCS_GRAYSCALE) recipes.push_back(recipe);
      }
    }
  }
  return recipes;
}

TEST_F(JpegProgressiveTest, EverySearchKeepsTheCoefficientsAndNeverTakesMoreBytes) {
  size_t smaller = 0;
  for (const JpegRecipe& recipe : Recipes()) {
    const auto jpeg = MakeJpeg(recipe);
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    if (info.planar.plane_count == 0) continue;
    const auto fixed = WithScansOf(8, jpeg), few = WithScansOf(9, jpeg),
               all = WithScansOf(10, jpeg);
    const auto coefficients = PlainCoefficients(jpeg);
    for (const auto& made : {fixed, few, all}) {
      EXPECT_TRUE(PlainCoefficients(made) == coefficients)
          << recipe.width << " x " << recipe.height;
      EXPECT_TRUE(kJpegCodec.probe(made, made.size(), limits_).value().is_progressive);
    }
    // Which bytes are of ones, and so are stuffed, is not foreseen.
    EXPECT_LE(few.size(), fixed.size() + fixed.size() / 500 + 4);
    EXPECT_LE(all.size(), few.size() + few.size() / 500 + 4);
    smaller += all.size() < few.size() ? 1 : 0;
    EXPECT_EQ(WithScansOf(10, jpeg), all);
  }
  EXPECT_GT(smaller, 0u);
}

TEST_F(JpegProgressiveTest, ALongRunOfEmptyBlocksIsSplit) {
  // More blocks than a run of ends can have.
  const auto jpeg = MakeJpeg({.width = 1600, .height = 1600, .stored = JCS_GRAYSCALE});
  EXPECT_TRUE(PlainCoefficients(WithScansOf(10, jpeg)) == PlainCoefficients(jpeg));
}

TEST_F(JpegProgressiveTest, ScansTakeTheBitsThatWereCounted) {
  const Tokens tokens(40, 30);
  JpegImageTokens image(tokens.frame(), meter_);
  ASSERT_TRUE(image.Start().ok());
  for (uint32_t row = 0; row < 30; ++row) tokens.PutRow(image, row);
  const JpegScan scans[] = {{0, 1, 0, 0, 0, 0},  {0, 1, 0, 0, 0, 1},  {0, 1, 0, 0, 1, 0},
                            {0, 1, 1, 63, 0, 0}, {0, 1, 1, 63, 0, 3}, {0, 1, 1, 5, 0, 1},
                            {0, 1, 6, 63, 0, 2}, {0, 1, 1, 63, 3, 2}, {0, 1, 1, 63, 1, 0},
                            {0, 1, 9, 40, 2, 1}, {0, 1, 63, 63, 0, 0}};
  for (const JpegScan& scan : scans) {
    const JpegScanSymbols symbols = CountJpegScan(image, scan, context_).value();
    const JpegHuffmanSpec spec = MakeOptimalJpegHuffman(symbols.counts[0]);
    const bool has_table = symbols.counts[0] != JpegSymbolCounts{};
    const uint64_t table_bits = 8 * (uint64_t{17} + static_cast<uint64_t>(spec.symbol_count()));
    const uint64_t bits =
        symbols.other_bits + (has_table ? JpegTableBits(symbols.counts[0]) - table_bits : 0);
    ByteChain out(meter_);
    JpegBitWriter writer;
    ASSERT_TRUE(writer.Start(meter_, &out).ok());
    ASSERT_TRUE(WriteJpegScan(image, scan, {&spec, nullptr, nullptr}, context_, &writer).ok());
    const auto bytes = Flat(out);
    // Without the zeros that are stuffed after bytes of ones.
    size_t stuffed = 0;
    for (size_t i = 1; i < bytes.size(); ++i) stuffed += bytes[i - 1] == 0xFF && bytes[i] == 0;
    EXPECT_EQ(bytes.size() - stuffed, (bits + 7) / 8) << int{scan.first} << "-" << int{scan.last};
  }
}

TEST_F(JpegProgressiveTest, AScanIsCountedOnce) {
  const Tokens tokens(8, 5);
  JpegImageTokens image(tokens.frame(), meter_);
  ASSERT_TRUE(image.Start().ok());
  for (uint32_t row = 0; row < 5; ++row) tokens.PutRow(image, row);
  JpegScanCounts counts(image, context_);
  const JpegScan first[] = {{0, 1, 1, 63, 0, 1}},
                 more[] = {{0, 1, 1, 63, 1, 0}, first[0], first[0]};
  ASSERT_TRUE(counts.Count(first).ok());
  EXPECT_EQ(counts.Begin(first), 0u);
  EXPECT_EQ(counts.Begin(more), 1u);
  ASSERT_TRUE(counts.Run(0).ok());
  for (const JpegScan& scan : more) {
    const JpegScanSymbols alone = CountJpegScan(image, scan, context_).value();
    EXPECT_EQ(counts.Of(scan).counts, alone.counts);
    EXPECT_EQ(counts.Of(scan).other_bits, alone.other_bits);
  }
}

TEST_F(JpegProgressiveTest, RowsThatComeTogetherAreHeldAsIfOneByOne) {
  JpegRecipe recipe{.width = 333, .height = 211, .quality = 90, .noise = 40};
  recipe.sampling = {Sampling{2, 2}};
  const auto jpeg = MakeJpeg(recipe);
  const JpegFrame frame = ParseJpegFrame(jpeg).value();
  std::vector<std::vector<JpegToken>> rows;
  JpegEntropyDecoder decoder;
  ASSERT_TRUE(decoder.Start(frame, meter_).ok());
  const std::array<JpegStepScale, 3> scales = {MakeJpegStepScale(frame.quant[0], frame.quant[0]),
                                               MakeJpegStepScale(frame.quant[1], frame.quant[1]),
                                               MakeJpegStepScale(frame.quant[1], frame.quant[1])};
  JpegRequantizer requantizer(frame, scales, nullptr);
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    rows.emplace_back(JpegRequantizer::MaxRowTokens(frame));
    JpegTokenWriter writer(rows.back().data());
    ASSERT_TRUE(ReadJpegMcus(frame, decoder, frame.mcu_columns, requantizer, &writer));
    rows.back().resize(static_cast<size_t>(writer.next() - rows.back().data()));
  }
  JpegImageTokens alone(frame, meter_), together(frame, meter_);
  ASSERT_TRUE(alone.Start().ok() && together.Start().ok());
  const std::vector<std::span<const JpegToken>> all(rows.begin(), rows.end());
  for (const auto& row : all) ASSERT_TRUE(alone.PutRows({&row, 1}, parallel_).ok());
  ASSERT_TRUE(together.PutRows(all, parallel_).ok());
  EXPECT_EQ(alone.token_count(), together.token_count());
  for (size_t c = 0; c < 3; ++c) {
    for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
      EXPECT_TRUE(std::ranges::equal(alone.Ac(c, row), together.Ac(c, row)));
    }
    for (uint32_t row = 0; row < frame.mcu_rows * frame.components[c].v; ++row) {
      EXPECT_TRUE(std::equal(alone.Dc(c, row), alone.Dc(c, row) + frame.block_columns(c),
                             together.Dc(c, row)));
    }
  }
}

TEST_F(JpegProgressiveTest, ScansShareTablesOnlyWhereThatSaves) {
  JpegScanSymbols few, other;
  few.counts[0][1] = 200000;
  few.counts[0][2] = 100000;
  for (uint32_t s = 1; s < 200; ++s) other.counts[0][s] = s < 100 ? 100000 : 1;
  const JpegScanScript script = {{0, 1, 1, 63, 0, 0}, {1, 1, 1, 63, 0, 0}, {2, 1, 1, 63, 0, 0}};
  const JpegScanSymbols symbols[] = {few, other, few};
  const JpegScanTables tables = ShareJpegTables(script, symbols);
  EXPECT_EQ(tables.of_scan[0][0], tables.of_scan[2][0]);
  EXPECT_NE(tables.of_scan[0][0], tables.of_scan[1][0]);
  EXPECT_NE(tables.tables[0].slot, tables.tables[1].slot);
  EXPECT_EQ(tables.of_scan[0][1], -1);
}

TEST_F(JpegProgressiveTest, AStopEndsASearchAtTheNextRow) {
  class PollClock final : public Clock {
   public:
    int64_t NowNs() const override { return ++polls_; }
    mutable int64_t polls_ = 0;
  };
  const Tokens tokens(8, 50);
  JpegImageTokens image(tokens.frame(), meter_);
  ASSERT_TRUE(image.Start().ok());
  for (uint32_t row = 0; row < 50; ++row) tokens.PutRow(image, row);
  PollClock clock;
  StopSource stop;
  stop.SetDeadline(&clock, 120);
  const WorkContext context{meter_, StopToken(stop), parallel_};
  JpegScanCounts counts(image, context);
  EXPECT_EQ(SearchJpegScans(image, true, &counts).status().code(), StatusCode::kTaskTimeout);
  EXPECT_LE(clock.polls_, 122);
}

TEST_F(JpegProgressiveTest, AThoroughSearchUsesMoreScansOnALargePhotograph) {
  const auto jpeg = MakeJpeg({.width = 700, .height = 500, .quality = 95, .noise = 50});
  EXPECT_GT(ScanCount(WithScansOf(10, jpeg)), 4u);
}

}  // namespace
}  // namespace pixpress
