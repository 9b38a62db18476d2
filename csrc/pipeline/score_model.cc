#include "pipeline/score_model.h"

#include <algorithm>
#include <cmath>

#include "pipeline/log_size.h"
#include "pipeline/typical_score.h"
#include "pipeline/typical_size.h"

namespace pixpress {
namespace {

// A squared error below this says nothing but that the source was coarser.
constexpr int kHighestQuality = 100;
constexpr double kNoError = 1;
// What part of the squared errors that the source has is missing from those of its copies.
constexpr double kSourcePart = 0.5;
// No image is as easy, but a prior may say so.
constexpr double kEasiest = 1e-6;
// How far from the multiple of one trial what two trials say may be.
constexpr double kMostTilt = 2.5;
// The highest quality with subsampled chroma. From there on scores rise at once where it is a step.
constexpr int kBelowStep = 89;
constexpr double kLeastStep = 2;
// Trials below the step say little about what is far above it.
constexpr int kFarAboveStep = 95;
// How far below what is needed the highest quality below the step may be expected to be and is
// tried nevertheless, since the step costs much: by this, and by a part of how far a trial is away.
constexpr double kStepDoubt = 0.7;
constexpr double kStepDoubtPart = 0.1;

double Square(double value) { return value * value; }
double Error(const ScoreTrial& trial) { return Square(100 - trial.score); }
bool SaysNothing(const ScoreTrial& trial) { return !trial.is_made() || Error(trial) <= kNoError; }

}  // namespace

void ScoreModel::Add(const ScoreTrial& trial) {
  const bool is_good = trial.score >= needed_;
  (is_good ? former_good_ : former_bad_) = is_good ? good_ : bad_;
  (is_good ? good_ : bad_) = trial;
}

double ScoreModel::TypicalError(int quality) const {
  return Square(100 - TypicalScore(format_, quality));
}

double ScoreModel::SourceError() const {
  double error = 0;
  if (prior_.source_quality != 0) error = kSourcePart * TypicalError(prior_.source_quality);
  if (good_.is_made() && SaysNothing(good_)) error = std::max(error, TypicalError(good_.quality));
  return error;
}

// Are two qualities on two sides of the step?
bool ScoreModel::IsStepBetween(int a, int b) const {
  return (a <= kBelowStep) != (b <= kBelowStep) &&
         TypicalScore(format_, kBelowStep + 1) - TypicalScore(format_, kBelowStep) > kLeastStep;
}

// How errors change with the typical ones near a trial.
double ScoreModel::Slope(const ScoreTrial& near, const ScoreTrial& far) const {
  const double typical = TypicalError(near.quality) - SourceError();
  const double multiple =
      typical > kNoError ? Error(near) / typical : std::max(Square(prior_.difficulty), kEasiest);
  if (SaysNothing(far) || IsStepBetween(near.quality, far.quality)) return multiple;
  const double slope =
      (Error(near) - Error(far)) / (TypicalError(near.quality) - TypicalError(far.quality));
  return std::clamp(slope, multiple / kMostTilt, multiple * kMostTilt);
}

// The typical error where the error is `wanted`, as far as a trial and the one before tell.
double ScoreModel::TypicalAt(double wanted, const ScoreTrial& near, const ScoreTrial& far) const {
  return TypicalError(near.quality) + (wanted - Error(near)) / Slope(near, far);
}

// May the highest quality below the step do, as far as a trial tells?
bool ScoreModel::MayDoBelowStep(const ScoreTrial& near, const ScoreTrial& far) const {
  if (near.quality == kBelowStep) return false;
  const double step = TypicalError(kBelowStep);
  const double expected = Error(near) + (step - TypicalError(near.quality)) * Slope(near, far);
  const double doubt = kStepDoubt + kStepDoubtPart * std::abs(needed_ - near.score);
  return 100 - std::sqrt(std::max(expected, 0.0)) >= needed_ - doubt;
}

// From below the step to beyond it.
double ScoreModel::TypicalFromBelow(double wanted) const {
  const double typical = TypicalAt(wanted, bad_, former_bad_);
  const double step = TypicalError(kBelowStep);
  if (typical >= step || !IsStepBetween(bad_.quality, kHighestQuality)) return typical;
  if (MayDoBelowStep(bad_, former_bad_)) return step;
  if (!good_.is_made()) return std::max(typical, TypicalError(kFarAboveStep));
  const double above = SaysNothing(good_) ? typical : TypicalAt(wanted, good_, former_good_);
  return std::min(above, TypicalError(kBelowStep + 1));
}

// From beyond the step to below it.
double ScoreModel::TypicalFromAbove(double wanted) const {
  const double typical = TypicalAt(wanted, good_, former_good_);
  const double step = TypicalError(kBelowStep);
  const bool is_in_step = typical > TypicalError(kBelowStep + 1) && typical < step;
  if (!is_in_step || !IsStepBetween(kBelowStep, good_.quality)) return typical;
  return MayDoBelowStep(good_, former_good_) ? step : typical;
}

double ScoreModel::Guess(double margin) const {
  const double wanted = Square(100 - needed_ - margin);
  double typical = 0;
  if (bad_.is_made() && good_.is_made() && !SaysNothing(good_) &&
      !IsStepBetween(bad_.quality, good_.quality)) {
    const double from = TypicalError(bad_.quality), to = TypicalError(good_.quality);
    typical = from + (to - from) * (Error(bad_) - wanted) / (Error(bad_) - Error(good_));
  } else if (bad_.is_made()) {
    typical = TypicalFromBelow(wanted);
    // A perfect score says that there must be something between.
    if (good_.is_made() && SaysNothing(good_) && typical < TypicalError(good_.quality)) {
      typical = (TypicalError(bad_.quality) + TypicalError(good_.quality)) / 2;
    }
  } else if (!SaysNothing(good_)) {
    typical = TypicalFromAbove(wanted);
  } else {
    typical = wanted / std::max(Square(prior_.difficulty), kEasiest) + SourceError();
  }
  return QualityOfTypicalScore(format_, 100 - std::sqrt(std::max(typical, 0.0)));
}

double ScoreModel::Saving(double quality) const {
  const double own = TypicalSize(format_, good_.quality);
  const ScoreTrial& other = bad_.is_made() ? bad_ : former_good_;
  double slope = 1;
  // What is known of one side of the step says nothing about the other one.
  const bool is_known = other.is_made() && other.size_bytes != 0 &&
                        (IsStepBetween(good_.quality, other.quality) ||
                         !IsStepBetween(good_.quality, static_cast<int>(quality)));
  if (is_known) {
    slope = (LogSize(good_.size_bytes) - LogSize(other.size_bytes)) /
            (own - TypicalSize(format_, other.quality));
  }
  return slope * (own - TypicalSize(format_, quality));
}

}  // namespace pixpress
