// Large images, whose pieces are coded on several threads.

#include <atomic>
#include <utility>
#include <vector>

#include "codecs/jpeg/fixture.h"
#include "codecs/jpeg/some_threads.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

class JpegPiecesTest : public JpegTest {
 protected:
  // The file with the promise about memory checked; nothing if it was left to pixels.
  std::vector<uint8_t> Transcode(Bytes jpeg, const EncodeOptions& options, Parallel& parallel) {
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    EXPECT_TRUE(CanTranscodeJpeg(info, options));
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel};
    ByteChain out(meter);
    const auto done = TranscodeJpeg(jpeg, info, options, limits_, {}, context, &out);
    EXPECT_TRUE(done.ok()) << done.status().message();
    EXPECT_LE(meter.peak_bytes(), JpegTranscodeMemoryBytes(info, options));
    return Flat(out);
  }
  // The same bytes on one thread, on several, and on some that come and go.
  void ExpectTheSameOnAnyThreads(Bytes jpeg, const EncodeOptions& options) {
    const std::vector<uint8_t> serial = Transcode(jpeg, options, parallel_);
    EXPECT_FALSE(serial.empty());
    for (const auto& [threads, idle] : {std::pair{2, 8}, {3, 8}, {7, 8}, {2, 3}}) {
      SomeThreads parallel(threads, idle);
      EXPECT_TRUE(Transcode(jpeg, options, parallel) == serial)
          << threads << " threads, effort " << options.effort;
    }
  }
  // On one thread, and on several.
  void ExpectLeftToPixels(Bytes jpeg, const JpegRecipe& recipe) {
    SomeThreads parallel(3, 8);
    EXPECT_TRUE(Transcode(jpeg, Options(5, recipe), parallel).empty());
    EXPECT_TRUE(Transcode(jpeg, Options(5, recipe), parallel_).empty());
  }
  static std::vector<size_t> Restarts(Bytes jpeg) {
    std::vector<size_t> found;
    for (size_t i = 1; i < jpeg.size(); ++i) {
      if (jpeg[i - 1] == 0xFF && jpeg[i] >= 0xD0 && jpeg[i] <= 0xD7) found.push_back(i - 1);
    }
    return found;
  }
  static EncodeOptions Options(int effort, const JpegRecipe& recipe) {
    EncodeOptions options{.quality = 60, .effort = effort};
    options.chroma_h = static_cast<uint8_t>(recipe.sampling[0].h);
    options.chroma_v = static_cast<uint8_t>(recipe.sampling[0].v);
    return options;
  }
  static JpegRecipe Large(Sampling luma) {
    JpegRecipe recipe{.width = 2003, .height = 1617, .quality = 90, .noise = 20};
    recipe.sampling = {luma};
    return recipe;
  }
};

TEST_F(JpegPiecesTest, EveryEffortGivesTheSameFileOnAnyNumberOfThreads) {
  const JpegRecipe recipe = Large({2, 2});
  const auto jpeg = MakeJpeg(recipe);
  for (const int effort : {1, 2, 5, 7, 10})
    ExpectTheSameOnAnyThreads(jpeg, Options(effort, recipe));
}

TEST_F(JpegPiecesTest, EveryKindOfSourceGivesTheSameFileOnAnyNumberOfThreads) {
  std::vector<JpegRecipe> recipes(4, Large({1, 1}));
  recipes[0].restart_interval = 7;
  recipes[1].is_progressive = true;
  recipes[2].sampling = {Sampling{2, 1}};
  recipes[3].stored = JCS_GRAYSCALE;
  recipes[3].height = 2200;
  for (const JpegRecipe& recipe : recipes) {
    const auto jpeg = MakeJpeg(recipe);
    for (const int effort : {5, 7}) ExpectTheSameOnAnyThreads(jpeg, Options(effort, recipe));
  }
}

TEST_F(JpegPiecesTest, RestartIntervalsOfAnyLengthGiveTheSameFileOnAnyNumberOfThreads) {
  const JpegRecipe recipe = Large({2, 2});
  const unsigned columns = (recipe.width + 15) / 16;
  // Up to ones that are too long to be read at the same time.
  for (const unsigned interval : {1u, 7u, columns, 2 * columns + 3, 30 * columns}) {
    JpegRecipe restarted = recipe;
    restarted.restart_interval = interval;
    const auto jpeg = MakeJpeg(restarted);
    for (const int effort : {2, 5}) ExpectTheSameOnAnyThreads(jpeg, Options(effort, recipe));
  }
}

TEST_F(JpegPiecesTest, RestartMarkersThatAreNotInOrderAreLeftToTheWayThroughPixels) {
  JpegRecipe recipe = Large({2, 2});
  recipe.restart_interval = 5;
  const auto jpeg = MakeJpeg(recipe);
  const std::vector<size_t> markers = Restarts(jpeg);
  ASSERT_GT(markers.size(), 1000u);
  for (const size_t at : {size_t{0}, markers.size() / 2, markers.size() - 2}) {
    const auto place = static_cast<ptrdiff_t>(markers[at]);
    auto missing = jpeg, twice = jpeg, wrong = jpeg, swapped = jpeg;
    missing.erase(missing.begin() + place, missing.begin() + place + 2);
    twice.insert(twice.begin() + place, {jpeg[markers[at]], jpeg[markers[at] + 1]});
    wrong[markers[at] + 1] = 0xD0 | ((jpeg[markers[at] + 1] + 4) & 7);
    std::swap(swapped[markers[at] + 1], swapped[markers[at + 1] + 1]);
    for (const auto* damaged : {&missing, &twice, &wrong, &swapped}) {
      ExpectLeftToPixels(*damaged, recipe);
    }
    // A whole interval less.
    auto shorter = jpeg;
    shorter.erase(shorter.begin() + place,
                  shorter.begin() + static_cast<ptrdiff_t>(markers[at + 1]));
    ExpectLeftToPixels(shorter, recipe);
  }
}

TEST_F(JpegPiecesTest, AFileThatIsCutOffIsLeftToTheWayThroughPixels) {
  for (const unsigned interval : {0u, 5u}) {
    JpegRecipe recipe = Large({2, 2});
    recipe.restart_interval = interval;
    const auto jpeg = MakeJpeg(recipe);
    std::vector<size_t> sizes = {jpeg.size() / 2, jpeg.size() - 3};
    if (interval > 0) sizes.push_back(Restarts(jpeg)[1000]);
    for (const size_t size : sizes) {
      auto cut = jpeg;
      cut.resize(size);
      ExpectLeftToPixels(cut, recipe);
      cut.insert(cut.end(), {0xFF, 0xD9});
      ExpectLeftToPixels(cut, recipe);
    }
  }
}

TEST_F(JpegPiecesTest, WhatFollowsTheEndOfTheImageChangesNothing) {
  for (const unsigned interval : {0u, 5u}) {
    JpegRecipe recipe = Large({2, 2});
    recipe.restart_interval = interval;
    const auto jpeg = MakeJpeg(recipe);
    auto longer = jpeg;
    longer.insert(longer.end(), jpeg.begin(), jpeg.end());
    SomeThreads parallel(3, 8);
    EXPECT_TRUE(Transcode(longer, Options(2, recipe), parallel) ==
                Transcode(jpeg, Options(2, recipe), parallel_));
  }
}

TEST_F(JpegPiecesTest, FoldedChromaIsTheSameOnAnyNumberOfThreads) {
  for (const Sampling luma : {Sampling{1, 1}, {1, 2}}) {
    for (const bool is_progressive : {false, true}) {
      JpegRecipe recipe = Large(luma);
      recipe.is_progressive = is_progressive;
      ExpectTheSameOnAnyThreads(MakeJpeg(recipe), {.quality = 60});
    }
  }
}

TEST_F(JpegPiecesTest, AnImageOfMoreTokensThanAreGatheredIsTheSameOnAnyNumberOfThreads) {
  const auto jpeg = MakeJpeg({.width = 2600, .height = 2600, .quality = 100, .noise = 255});
  EncodeOptions options{.quality = 95, .effort = 5, .chroma_h = 1, .chroma_v = 1};
  ExpectTheSameOnAnyThreads(jpeg, options);
}

TEST_F(JpegPiecesTest, DamageAnywhereIsLeftToTheWayThroughPixels) {
  const JpegRecipe recipe = Large({2, 2});
  const auto jpeg = MakeJpeg(recipe);
  for (const size_t part : {1, 4, 7}) {
    auto damaged = jpeg;
    for (size_t i = 0; i < 64; ++i) damaged[jpeg.size() / 8 * part + i] = 0xFE;
    SomeThreads parallel(2, 8);
    EXPECT_TRUE(Transcode(damaged, Options(5, recipe), parallel).empty());
  }
}

// Time that passes only by being asked for, so that a deadline is a number of polls.
class PollClock final : public Clock {
 public:
  int64_t NowNs() const override { return ++polls_; }

 private:
  mutable std::atomic<int64_t> polls_ = 0;
};

TEST_F(JpegPiecesTest, EveryKindOfProgressiveFileHoldsNoMoreThanItSaysOnAnyNumberOfThreads) {
  // From few values in a block to many, so that each of the scripts is written.
  for (const int quality : {20, 60, 97}) {
    const JpegRecipe recipe = Large({2, 2});
    EncodeOptions options = Options(7, recipe);
    options.quality = quality;
    ExpectTheSameOnAnyThreads(MakeJpeg(recipe), options);
  }
}

TEST_F(JpegPiecesTest, AStopEndsTheScansOfAProgressiveFileBetweenTwoRows) {
  const JpegRecipe recipe = Large({2, 2});
  const auto jpeg = MakeJpeg(recipe);
  const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
  for (const int effort : {7, 9}) {
    const auto make = [&](const Clock& clock, int64_t deadline) {
      StopSource stop;
      stop.SetDeadline(&clock, deadline);
      SomeThreads parallel(3, 8);
      Meter meter(pool_);
      Status status;
      {
        ByteChain out(meter);
        const WorkContext context{meter, StopToken(stop), parallel};
        status =
            TranscodeJpeg(jpeg, info, Options(effort, recipe), limits_, {}, context, &out).status();
      }
      EXPECT_EQ(meter.current_bytes(), 0u);
      return status.code();
    };
    PollClock all;
    EXPECT_EQ(make(all, 1 << 30), StatusCode::kOk);
    // While the last scans are written, all of them, some are counted, and DC is chosen.
    for (const int64_t before_end : {20, 300, 900, 1200}) {
      PollClock clock;
      const int64_t polls = all.NowNs() - before_end;
      EXPECT_EQ(make(clock, polls), StatusCode::kTaskTimeout) << before_end;
      EXPECT_LE(clock.NowNs(), polls + 80);
    }
  }
}

TEST_F(JpegPiecesTest, AStopEndsItBetweenTwoRows) {
  for (const unsigned interval : {0u, 5u}) {
    JpegRecipe recipe = Large({2, 2});
    recipe.restart_interval = interval;
    const auto jpeg = MakeJpeg(recipe);
    const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits_).value();
    for (const int64_t polls : {1, 2, 20, 60}) {
      PollClock clock;
      StopSource stop;
      stop.SetDeadline(&clock, polls);
      SomeThreads parallel(2, 8);
      ByteChain out(meter_);
      const WorkContext context{meter_, StopToken(stop), parallel};
      const auto made = TranscodeJpeg(jpeg, info, {}, limits_, {}, context, &out);
      EXPECT_EQ(made.status().code(), StatusCode::kTaskTimeout) << polls;
      EXPECT_LE(clock.NowNs(), polls + 40);
    }
  }
}

}  // namespace
}  // namespace pixpress
