#include "pipeline/score_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/log_size.h"
#include "pipeline/score_model.h"

namespace pixpress {
namespace {

constexpr int kHighestQuality = 100;
// After so many encodes more may be lost.
constexpr int kFewTrials = 3;
// After so many the rest is found by halving.
constexpr int kMostGuesses = 5;
constexpr int kMostTrials = 8;
// Guesses aim a little above what is needed, since one that falls short costs an encode.
constexpr double kMargin = 0.1;
// Another encode is worth it if it is expected to save so much, in binary logarithms of bytes.
constexpr double kWorthwhile = 0.045;
constexpr double kWorthwhileLate = 0.09;
// A target is given up if what it takes is expected to be so much too large, in the same unit.
constexpr double kHopeless = 0.15;
// A point of the score costs less than this part of the bytes.
constexpr double kMostSavingPerPoint = 0.1;

using Trial = ScoreTrial;

std::string Rounded(double score) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", score);
  return text;
}

class ScoreSearch {
 public:
  ScoreSearch(const EncodeAt& encode, const ScoreOf& score, const ScoreGoal& goal, Meter& meter)
      : encode_(encode),
        score_(score),
        goal_(goal),
        meter_(meter),
        lowest_(goal.target > 0 ? 1 : goal.quality),
        needed_(std::max<double>(goal.target - ScoreGoal::kTolerance, goal.floor)),
        model_(goal.format, needed_, {goal.difficulty, goal.source_quality}) {}

  Result<SearchResult> Run() {
    int quality = goal_.target > 0 ? RoundedUp(model_.Guess(kMargin)) : goal_.quality;
    while (quality != 0) {
      PIXPRESS_RETURN_IF_ERROR(Try(quality));
      quality = NextQuality();
    }
    const Trial& found = Best();
    const bool is_too_large = goal_.max_bytes != 0 && found.size_bytes > goal_.max_bytes;
    if (is_too_large && !IsUseless(found)) return FitBelow(found);
    return Answer(found);
  }

 private:
  const Trial& good() const { return model_.good(); }
  const Trial& bad() const { return model_.bad(); }
  const Trial& Best() const { return good().is_made() ? good() : bad(); }

  Result<Trial> Encode(int quality, ByteChain* out) {
    PIXPRESS_RETURN_IF_ERROR(encode_(quality, out));
    PIXPRESS_ASSIGN_OR_RETURN(const double score, score_(*out));
    return Trial{quality, out->size_bytes(), score};
  }

  Status Try(int quality) {
    if (kept_.has_value() && kept_->size_bytes() > goal_.keep_bytes) kept_.reset();
    ByteChain out(meter_);
    PIXPRESS_ASSIGN_OR_RETURN(const Trial trial, Encode(quality, &out));
    ++trials_;
    model_.Add(trial);
    if (trial.score >= needed_ || !good().is_made()) {
      kept_.emplace(std::move(out));
      kept_quality_ = quality;
    }
    return Status();
  }

  // 0: no other one is worth a try.
  int NextQuality() const {
    if (IsUseless(Best())) return 0;
    return good().is_made() ? LowerQuality() : HigherQuality();
  }

  int HigherQuality() const {
    const bool is_too_large = goal_.max_bytes != 0 && bad().size_bytes > goal_.max_bytes;
    if (is_too_large || bad().quality == kHighestQuality) return 0;
    if (trials_ >= kMostGuesses) return (bad().quality + 1 + kHighestQuality) / 2;
    return std::clamp(RoundedUp(model_.Guess(kMargin)), bad().quality + 1, kHighestQuality);
  }

  int LowerQuality() const {
    const int low = bad().is_made() ? OtherQuality(goal_.format, bad().quality, 1) : lowest_;
    const bool is_first_choice = goal_.target == 0 && !bad().is_made();
    if (is_first_choice || low >= good().quality || trials_ >= kMostTrials) return 0;
    const bool is_late = trials_ >= kFewTrials;
    const double guess = std::clamp<double>(model_.Guess(0), low, good().quality);
    if (IsHopeless(guess)) return 0;
    if (model_.Saving(guess) < (is_late ? kWorthwhileLate : kWorthwhile)) return 0;
    if (trials_ >= kMostGuesses) return low + (good().quality - low) / 2;
    // The last one but the good one may do without the margin.
    const int next = std::max(RoundedUp(model_.Guess(kMargin)), low);
    return next < good().quality ? next : RoundedUp(guess) % good().quality;
  }

  // Is what reaches the target far too large? A floor is tried to the end, since it may be an
  // error.
  bool IsHopeless(double guess) const {
    if (goal_.max_bytes == 0 || goal_.floor != 0) return false;
    const double expected = LogSize(good().size_bytes) - model_.Saving(guess);
    return expected > LogSize(goal_.max_bytes) + kHopeless;
  }

  // Not smaller than what there is, and not so much too good that a lower quality may be.
  bool IsUseless(const Trial& trial) const {
    if (goal_.useless_bytes == 0) return false;
    const double saving = std::max(trial.score - needed_, 0.0) * kMostSavingPerPoint;
    return static_cast<double>(trial.size_bytes) * (1 - saving) >=
           static_cast<double>(goal_.useless_bytes);
  }

  int RoundedUp(double quality) const {
    return std::clamp(static_cast<int>(std::ceil(quality)), lowest_, kHighestQuality);
  }

  Result<SearchResult> Answer(const Trial& found) {
    if (!kept_.has_value() || kept_quality_ != found.quality) {
      kept_.reset();
      ByteChain out(meter_);
      PIXPRESS_RETURN_IF_ERROR(encode_(found.quality, &out));
      kept_.emplace(std::move(out));
    }
    return SearchResult{std::move(*kept_), found.quality, found.score};
  }

  Result<SearchResult> FitBelow(const Trial& too_large) {
    kept_.reset();
    const bool has_other = too_large.quality != bad().quality;
    const SizeTrial known = has_other ? SizeTrial{bad().quality, bad().size_bytes} : SizeTrial();
    const bool is_lowest = OtherQuality(goal_.format, too_large.quality, -1) < 1;
    if (is_lowest) return TooLarge(too_large.size_bytes, goal_.max_bytes);
    PIXPRESS_ASSIGN_OR_RETURN(SearchResult fit,
                              SearchQuality(encode_,
                                            {.format = goal_.format,
                                             .quality = too_large.quality - 1,
                                             .max_bytes = goal_.max_bytes,
                                             .too_large = {too_large.quality, too_large.size_bytes},
                                             .known = known,
                                             .prior = {}},
                                            meter_));
    PIXPRESS_ASSIGN_OR_RETURN(const double score, score_(fit.data));
    fit.score = score;
    if (!goal_.IsBelowFloor(score)) return fit;
    const Trial below = {fit.quality, fit.data.size_bytes(), score};
    fit.data.Clear();
    return BetweenFloorAndLimit(below, too_large);
  }

  // `fit` scores too little and `too_large` is too large; is there one between that is neither?
  Result<SearchResult> BetweenFloorAndLimit(Trial fit, Trial too_large) {
    while (too_large.quality - fit.quality > 1) {
      const int quality = fit.quality + (too_large.quality - fit.quality) / 2;
      ByteChain out(meter_);
      PIXPRESS_ASSIGN_OR_RETURN(const Trial trial, Encode(quality, &out));
      if (trial.size_bytes > goal_.max_bytes) {
        too_large = trial;
      } else if (!goal_.IsBelowFloor(trial.score)) {
        return SearchResult{std::move(out), quality, trial.score};
      } else {
        fit = trial;
      }
    }
    return Status(StatusCode::kLimitExceeded,
                  "min_quality " + std::to_string(goal_.floor) + " and max_bytes " +
                      std::to_string(goal_.max_bytes) + " exclude each other: quality " +
                      std::to_string(fit.quality) + " makes " + std::to_string(fit.size_bytes) +
                      " bytes and scores " + Rounded(fit.score) + ", quality " +
                      std::to_string(too_large.quality) + " makes " +
                      std::to_string(too_large.size_bytes) + " bytes");
  }

  const EncodeAt& encode_;
  const ScoreOf& score_;
  const ScoreGoal& goal_;
  Meter& meter_;
  const int lowest_;
  const double needed_;
  int trials_ = 0;
  ScoreModel model_;
  std::optional<ByteChain> kept_;  // Of the good one, or until there is one of the bad one.
  int kept_quality_ = 0;
};

}  // namespace

Result<SearchResult> SearchScore(const EncodeAt& encode, const ScoreOf& score,
                                 const ScoreGoal& goal, Meter& meter) {
  return ScoreSearch(encode, score, goal, meter).Run();
}

}  // namespace pixpress
