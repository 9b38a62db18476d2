#include "pipeline/score_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/typical_score.h"

namespace pixpress {
namespace {

constexpr int kHighestQuality = 100;
// After so many encodes a score may be further off; the rest is found by halving.
constexpr int kMostGuesses = 4;
constexpr int kMostTrials = 8;
// Guesses aim a little above what is needed, since one that falls short costs an encode.
constexpr double kMargin = 0.1;
// A score that is so little too good is not worth another encode.
constexpr double kCloseEnough = 0.6;
constexpr double kCloseEnoughLate = 1.5;
// Between two trials the score is taken to follow a line only if both are so near.
constexpr double kNear = 15;
// A point of the score costs less than this part of the bytes.
constexpr double kMostSavingPerPoint = 0.1;

struct Trial {
  int quality = 0;
  uint64_t size_bytes = 0;
  double score = 0;

  bool is_made() const { return quality != 0; }
};

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
        needed_(std::max<double>(goal.target - ScoreGoal::kTolerance, goal.floor)) {}

  Result<SearchResult> Run() {
    int quality = goal_.quality;
    if (goal_.target > 0) {
      quality = AtTypical(100 - (100 - needed_ - kMargin) / goal_.difficulty);
    }
    while (quality != 0) {
      PIXPRESS_RETURN_IF_ERROR(Try(quality));
      quality = NextQuality();
    }
    const Trial& found = good_.is_made() ? good_ : bad_;
    const bool is_too_large = goal_.max_bytes != 0 && found.size_bytes > goal_.max_bytes;
    if (is_too_large && !IsUseless(found)) return FitBelow(found);
    return Answer(found);
  }

 private:
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
    const bool is_good = trial.score >= needed_;
    (is_good ? good_ : bad_) = trial;
    if (is_good || !good_.is_made()) {
      kept_.emplace(std::move(out));
      kept_quality_ = quality;
    }
    return Status();
  }

  // 0: no other one is worth a try.
  int NextQuality() const {
    if (IsUseless(good_.is_made() ? good_ : bad_)) return 0;
    const bool is_late = trials_ >= kMostGuesses;
    if (!good_.is_made()) {
      const bool is_too_large = goal_.max_bytes != 0 && bad_.size_bytes > goal_.max_bytes;
      if (is_too_large || bad_.quality == kHighestQuality) return 0;
      if (is_late) return (bad_.quality + 1 + kHighestQuality) / 2;
      return std::clamp(Guess(bad_), bad_.quality + 1, kHighestQuality);
    }
    const int low = bad_.is_made() ? bad_.quality + 1 : lowest_;
    const bool is_first_choice = goal_.target == 0 && !bad_.is_made();
    const double most = needed_ + (is_late ? kCloseEnoughLate : kCloseEnough);
    if (is_first_choice || low >= good_.quality || good_.score < most || trials_ >= kMostTrials) {
      return 0;
    }
    if (is_late) return low + (good_.quality - low) / 2;
    const int guess = std::max(bad_.is_made() ? Between() : Guess(good_), low);
    if (guess < good_.quality) return guess;
    return good_.score < needed_ + kCloseEnoughLate ? 0 : good_.quality - 1;
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
  double Typical(int quality) const { return TypicalScore(goal_.format, quality); }
  int AtTypical(double score) const {
    return RoundedUp(QualityOfTypicalScore(goal_.format, score));
  }

  // The errors of an image are about the same multiple of the typical ones at every quality.
  int Guess(const Trial& trial) const {
    const double error = 100 - trial.score;
    if (error < 0.01) return (lowest_ + trial.quality) / 2;
    return AtTypical(100 - (100 - needed_ - kMargin) * (100 - Typical(trial.quality)) / error);
  }

  int Between() const {
    const double above = good_.score - needed_, below = needed_ - bad_.score;
    if (std::max(above, below) > kNear) return Guess(above < below ? good_ : bad_);
    const double from = Typical(bad_.quality), to = Typical(good_.quality);
    const double part = (needed_ + kMargin - bad_.score) / (good_.score - bad_.score);
    return AtTypical(from + (to - from) * part);
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
    if (too_large.quality == 1) return TooLarge(too_large.size_bytes, goal_.max_bytes);
    PIXPRESS_ASSIGN_OR_RETURN(
        SearchResult fit, SearchQuality(encode_, too_large.quality - 1, goal_.max_bytes, meter_));
    PIXPRESS_ASSIGN_OR_RETURN(const double score, score_(fit.data));
    fit.score = score;
    if (score >= goal_.floor) return fit;
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
      } else if (trial.score >= goal_.floor) {
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
  // The lowest quality known to reach what is needed, and the highest one known not to.
  Trial good_, bad_;
  std::optional<ByteChain> kept_;  // Of the good one, or until there is one of the bad one.
  int kept_quality_ = 0;
};

}  // namespace

Result<SearchResult> SearchScore(const EncodeAt& encode, const ScoreOf& score,
                                 const ScoreGoal& goal, Meter& meter) {
  return ScoreSearch(encode, score, goal, meter).Run();
}

}  // namespace pixpress
