#include "codecs/jpeg/requantize.h"

#include <algorithm>

#include "base/clock.h"
#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

class JpegRequantizeTest : public JpegTest {
 protected:
  // The file with its sampling kept and the promise about memory checked; nothing if it was left to
  // pixels.
  Result<std::vector<uint8_t>> Transcode(Bytes jpeg, EncodeOptions options) {
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    options.chroma_h = info.planar.max_h_samples();
    options.chroma_v = info.planar.max_v_samples();
    EXPECT_TRUE(CanTranscodeJpeg(info, options));
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    std::vector<uint8_t> flat;
    {
      ByteChain out(meter);
      PIXPRESS_ASSIGN_OR_RETURN(const bool is_done,
                                TranscodeJpeg(jpeg, info, options, limits_, {}, context, &out));
      EXPECT_EQ(is_done, out.size_bytes() > 0);
      flat = Flat(out);
    }
    EXPECT_LE(meter.peak_bytes(), JpegTranscodeMemoryBytes(info, options));
    EXPECT_EQ(meter.current_bytes(), 0u);
    return flat;
  }
  std::vector<uint8_t> MustTranscode(Bytes jpeg, int quality, int effort) {
    auto made = Transcode(jpeg, {.quality = quality, .effort = effort});
    EXPECT_TRUE(made.ok()) << made.status().message();
    EXPECT_FALSE(made.value().empty());
    return std::move(made).value();
  }
  static double Psnr(const PlainPlanes& a, const PlainPlanes& b) {
    double sum = 0, count = 0;
    for (size_t p = 0; p < a.size(); ++p) {
      EXPECT_EQ(a[p].size(), b[p].size());
      for (size_t i = 0; i < a[p].size(); ++i, ++count) sum += std::pow(a[p][i] - b[p][i], 2);
    }
    return sum == 0 ? 99 : 10 * std::log10(255 * 255 * count / sum);
  }
};

std::vector<JpegRecipe> EveryKind(JpegRecipe recipe) {
  std::vector<JpegRecipe> recipes;
  for (const Sampling& luma : {Sampling{1, 1}, {2, 1}, {1, 2}, {2, 2}}) {
    for (const bool is_progressive : {false, true}) {
      for (const unsigned interval : {0u, 3u}) {
        recipe.sampling = {luma};
        recipe.is_progressive = is_progressive;
        recipe.restart_interval = interval;
        recipes.push_back(recipe);
      }
    }
  }
  recipe.stored = JCS_GRAYSCALE;
  recipe.sampling = {Sampling{2, 2}};
  recipes.push_back(recipe);
  return recipes;
}

TEST_F(JpegRequantizeTest, TheSameQualityGivesTheSameCoefficientsWithoutRestarts) {
  for (const int quality : {1, 30, 75, 100}) {
    for (const JpegRecipe& recipe : EveryKind({.quality = quality, .noise = 40})) {
      const auto jpeg = MakeJpeg(recipe);
      for (const int effort : {1, 2}) {
        const auto made = MustTranscode(jpeg, quality, effort);
        EXPECT_TRUE(PlainCoefficients(made) == PlainCoefficients(jpeg));
      }
    }
  }
}

TEST_F(JpegRequantizeTest, AHigherQualityThanTheSourcesNeverMakesStepsFiner) {
  for (const JpegRecipe& recipe : EveryKind({.quality = 60})) {
    const auto jpeg = MakeJpeg(recipe);
    EXPECT_TRUE(PlainCoefficients(MustTranscode(jpeg, 90, 2)) == PlainCoefficients(jpeg));
  }
}

TEST_F(JpegRequantizeTest, NoStepIsFinerThanTheSourcesOrFarFromWhatWasWanted) {
  for (int quality = 1; quality <= 100; ++quality) {
    const JpegQuantTable wanted = StandardJpegQuant(quality, false);
    for (int other = 1; other <= 100; other += 7) {
      const JpegQuantTable source = StandardJpegQuant(other, false);
      const JpegQuantTable chosen = ChooseJpegQuant(source, wanted);
      for (size_t k = 0; k < 64; ++k) {
        ASSERT_GE(chosen[k], source[k]);
        ASSERT_LE(chosen[k], std::max<double>(wanted[k] * 1.2, source[k]));
        ASSERT_GE(chosen[k], wanted[k] * 0.8);
      }
    }
  }
}

TEST_F(JpegRequantizeTest, LessIsLostThanByDecodingAndEncodingWithTheSameTables) {
  for (const JpegRecipe& recipe :
       EveryKind({.width = 200, .height = 170, .quality = 93, .noise = 30})) {
    const auto jpeg = MakeJpeg(recipe);
    const PlainPlanes source = PlainDecode(jpeg, true, 1);
    for (const int quality : {20, 50, 80}) {
      const auto made = MustTranscode(jpeg, quality, 2);
      EXPECT_LT(made.size(), jpeg.size());
      const double own = Psnr(PlainDecode(made, true, 1), source);
      const double plain = Psnr(PlainDecode(PlainReencode(jpeg, made), true, 1), source);
      // Ties go to zero here, and either way by chance there.
      EXPECT_GE(own, plain - 0.05) << quality;
      EXPECT_GT(own, 25);
    }
  }
}

TEST_F(JpegRequantizeTest, MoreEffortMakesTheSameCoefficientsSmaller) {
  const auto jpeg = MakeJpeg({.width = 300, .height = 200, .quality = 95, .noise = 30});
  const auto fast = MustTranscode(jpeg, 70, 1), small = MustTranscode(jpeg, 70, 2);
  EXPECT_LT(small.size(), fast.size());
  EXPECT_TRUE(PlainCoefficients(small) == PlainCoefficients(fast));
}

TEST_F(JpegRequantizeTest, TheSameQualityLosesNothingAtAnyEffort) {
  for (const JpegRecipe& recipe : EveryKind({.quality = 60, .noise = 40})) {
    const auto jpeg = MakeJpeg(recipe);
    for (const int effort : {4, 5, 7, 9}) {
      EXPECT_TRUE(PlainCoefficients(MustTranscode(jpeg, 95, effort)) == PlainCoefficients(jpeg));
    }
  }
}

TEST_F(JpegRequantizeTest, ProgressiveFilesHaveTheCoefficientsOfBaselineOnesButForChosenDc) {
  size_t chosen = 0;
  for (const JpegRecipe& recipe :
       EveryKind({.width = 203, .height = 171, .quality = 93, .noise = 30})) {
    const auto jpeg = MakeJpeg(recipe);
    for (const auto& [quality, effort] : {std::pair{5, 7}, {50, 7}, {90, 8}, {50, 5}, {90, 2}}) {
      const auto write = [&](Progressive progressive) {
        auto made =
            Transcode(jpeg, {.quality = quality, .effort = effort, .progressive = progressive});
        EXPECT_TRUE(made.ok() && !made.value().empty());
        return std::move(made).value();
      };
      const auto progressive = write(Progressive::kOn), baseline = write(Progressive::kOff);
      EXPECT_TRUE(
          kJpegCodec.probe(progressive, progressive.size(), limits_).value().is_progressive);
      EXPECT_FALSE(kJpegCodec.probe(baseline, baseline.size(), limits_).value().is_progressive);
      const auto one = PlainCoefficients(progressive), other = PlainCoefficients(baseline);
      ASSERT_EQ(one.size(), other.size());
      size_t differences = 0;
      for (size_t i = 0; i < one.size(); ++i) {
        if (one[i] == other[i]) continue;
        ++differences;
        ASSERT_EQ(i % 64, 0u);
        ASSERT_LE(std::abs(one[i] - other[i]), 1);
      }
      EXPECT_TRUE(effort >= 7 || differences == 0);
      chosen += differences;
    }
  }
  EXPECT_GT(chosen, 0u);
}

TEST_F(JpegRequantizeTest, TheTrellisSavesMoreThanItLoses) {
  for (const JpegRecipe& recipe :
       EveryKind({.width = 300, .height = 200, .quality = 96, .noise = 30})) {
    const auto jpeg = MakeJpeg(recipe);
    const PlainPlanes source = PlainDecode(jpeg, true, 1);
    // A decibel is about a sixth of the bits of noise.
    const auto rounded = MustTranscode(jpeg, 70, 2), chosen = MustTranscode(jpeg, 70, 5);
    const double lost_db =
        Psnr(PlainDecode(rounded, true, 1), source) - Psnr(PlainDecode(chosen, true, 1), source);
    EXPECT_LT(static_cast<double>(chosen.size()),
              static_cast<double>(rounded.size()) * (1 - std::max(lost_db, 0.0) / 10));
    EXPECT_LT(lost_db, 2);
    EXPECT_EQ(MustTranscode(jpeg, 70, 5), chosen);
  }
}

TEST_F(JpegRequantizeTest, ExtremeBlocksAreCodedExactly) {
  // Noise at the finest steps has values of every width; wide tables are kept where nothing
  // changes.
  const auto noise = MakeJpeg({.width = 256, .height = 256, .quality = 100, .noise = 255});
  EXPECT_TRUE(PlainCoefficients(MustTranscode(noise, 100, 2)) == PlainCoefficients(noise));
  EXPECT_TRUE(PlainCoefficients(MustTranscode(noise, 100, 1)) == PlainCoefficients(noise));
}

TEST_F(JpegRequantizeTest, AnImageOfMoreTokensThanAreGatheredIsWrittenInParts) {
  const auto jpeg = MakeJpeg({.width = 2600, .height = 2600, .quality = 100, .noise = 255});
  const auto made = MustTranscode(jpeg, 100, 2);
  EXPECT_LT(made.size(), jpeg.size());
  EXPECT_TRUE(PlainCoefficients(made) == PlainCoefficients(jpeg));
}

TEST_F(JpegRequantizeTest, DamagedDataIsLeftToTheWayThroughPixels) {
  const auto jpeg = MakeJpeg({});
  for (const size_t missing : {size_t{1}, size_t{2}, size_t{40}}) {
    const auto made = Transcode(Bytes(jpeg).first(jpeg.size() - missing), {});
    ASSERT_TRUE(made.ok()) << made.status().message();
    EXPECT_TRUE(made.value().empty());
  }
  const auto progressive = MakeJpeg({.is_progressive = true});
  EXPECT_EQ(Transcode(Bytes(progressive).first(progressive.size() - 2), {}).status().code(),
            StatusCode::kCorruptImage);
}

TEST_F(JpegRequantizeTest, AStepOfZeroIsLeftToTheWayThroughPixels) {
  for (const bool is_progressive : {false, true}) {
    auto jpeg = MakeJpeg({.is_progressive = is_progressive});
    const uint8_t dqt[] = {0xFF, 0xDB};
    const auto found = std::search(jpeg.begin(), jpeg.end(), std::begin(dqt), std::end(dqt));
    ASSERT_NE(found, jpeg.end());
    found[10] = 0;
    const auto made = Transcode(jpeg, {});
    ASSERT_TRUE(made.ok()) << made.status().message();
    EXPECT_TRUE(made.value().empty());
  }
}

TEST_F(JpegRequantizeTest, AStopEndsItAtTheNextRow) {
  // Time that passes only by being asked for, so that a deadline is a number of polls.
  class PollClock final : public Clock {
   public:
    int64_t NowNs() const override { return ++polls_; }

   private:
    mutable int64_t polls_ = 0;
  };
  const auto jpeg = MakeJpeg({.width = 64, .height = 512});
  for (const int64_t polls : {1, 2, 20, 60}) {
    PollClock clock;
    StopSource stop;
    stop.SetDeadline(&clock, polls);
    context_.stop = StopToken(stop);
    EXPECT_EQ(Transcode(jpeg, {}).status().code(), StatusCode::kTaskTimeout) << polls;
  }
}

}  // namespace
}  // namespace pixpress
