#include "pipeline/score_model.h"

#include <gtest/gtest.h>

#include "pipeline/typical_score.h"
#include "pipeline/typical_size.h"

namespace pixpress {
namespace {

constexpr Format kFormat = Format::kJpeg;

// What an image whose errors are `factor` times the typical ones scores.
ScoreTrial TrialAt(int quality, double factor) {
  return {quality, 1000u * static_cast<unsigned>(quality),
          100 - factor * (100 - TypicalScore(kFormat, quality))};
}

TEST(ScoreModel, ExpectsWhatIsTypicalWithoutATrial) {
  const ScoreModel model(kFormat, TypicalScore(kFormat, 60), {});
  EXPECT_NEAR(model.Guess(0), 60, 1e-9);
  EXPECT_GT(model.Guess(1), 60);
  EXPECT_FALSE(model.good().is_made());
  EXPECT_FALSE(model.bad().is_made());
}

TEST(ScoreModel, IsExactForAMultipleOfTheTypicalErrorsAfterOneTrial) {
  for (const double factor : {0.5, 0.9, 1.4}) {
    const double needed = TrialAt(70, factor).score;
    for (const int tried : {40, 60, 85}) {
      ScoreModel model(kFormat, needed, {});
      model.Add(TrialAt(tried, factor));
      EXPECT_NEAR(model.Guess(0), 70, 1e-6) << factor << " " << tried;
    }
  }
}

TEST(ScoreModel, ExpectsLessErrorOfWhatASourceHasAlready) {
  const double needed = TypicalScore(kFormat, 85);
  const ScoreModel of_pixels(kFormat, needed, {});
  const ScoreModel of_jpeg(kFormat, needed, {.difficulty = 1, .source_quality = 92});
  EXPECT_LT(of_jpeg.Guess(0), of_pixels.Guess(0) - 1);
}

TEST(ScoreModel, GoesBetweenAGoodTrialAndABadOne) {
  ScoreModel model(kFormat, 70, {});
  model.Add({40, 40'000, 60});
  model.Add({80, 80'000, 76});
  EXPECT_EQ(model.good().quality, 80);
  EXPECT_EQ(model.bad().quality, 40);
  EXPECT_GT(model.Guess(0), 40);
  EXPECT_LT(model.Guess(0), 80);
}

TEST(ScoreModel, TriesFineChromaOnlyWhereCoarseOneWillNotDo) {
  // 4:2:0 at 89 scores about 90 by what is known, so that the step above it is in doubt.
  ScoreModel may_do(kFormat, 90, {});
  may_do.Add(TrialAt(80, 0.56));
  EXPECT_NEAR(may_do.Guess(0), 89, 1e-6);
  ScoreModel will_not(kFormat, 90, {});
  will_not.Add(TrialAt(80, 1));
  EXPECT_GT(will_not.Guess(0), 90);
}

TEST(ScoreModel, GoesBetweenABadTrialAndAPerfectOne) {
  ScoreModel model(kFormat, 80, {});
  model.Add({30, 3496, 62.3});
  model.Add({69, 4792, 73.5});
  model.Add({95, 29249, 100});
  EXPECT_GT(model.Guess(0), 70);
  EXPECT_LT(model.Guess(0), 91);
  EXPECT_GT(model.Saving(model.Guess(0)), 0.5);
}

TEST(ScoreModel, ExpectsASavingByWhatTrialsTookAndBySizesThatAreTypical) {
  ScoreModel model(kFormat, 70, {});
  model.Add(TrialAt(80, 1));
  const double typical = TypicalSize(kFormat, 80) - TypicalSize(kFormat, 70);
  EXPECT_NEAR(model.Saving(70), typical, 1e-9);
  // An image whose size does not change has nothing to save.
  ScoreTrial bad = TrialAt(60, 1);
  bad.size_bytes = model.good().size_bytes;
  model.Add(bad);
  EXPECT_EQ(model.Saving(70), 0);
}

}  // namespace
}  // namespace pixpress
