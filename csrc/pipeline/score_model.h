#pragma once
// What a score search knows about an image, and what it expects of other qualities.

#include <cstdint>

#include "codecs/codec.h"

namespace pixpress {

// What an encode made.
struct ScoreTrial {
  int quality = 0;  // 0: none.
  uint64_t size_bytes = 0;
  double score = 0;

  bool is_made() const { return quality != 0; }
};

// Squared errors (100 less the score) of an image are taken to be a multiple of the typical ones,
// less a part of those that its source has already.
class ScoreModel {
 public:
  struct Prior {
    double difficulty = 1;   // What errors are as a multiple of the typical ones.
    int source_quality = 0;  // Of the coded data that the output is made of; 0: of pixels.
  };
  ScoreModel(Format format, double needed, const Prior& prior)
      : format_(format), needed_(needed), prior_(prior) {}

  void Add(const ScoreTrial& trial);
  // The last trial that reached what is needed, and the last one that did not.
  const ScoreTrial& good() const { return good_; }
  const ScoreTrial& bad() const { return bad_; }

  // The quality, fractions too, where the score is expected to be `margin` more than needed.
  double Guess(double margin) const;
  // The binary logarithm of what is expected to be saved by a quality below the good one.
  double Saving(double quality) const;

 private:
  double TypicalError(int quality) const;
  double SourceError() const;
  bool IsStepBetween(int a, int b) const;
  double Slope(const ScoreTrial& near, const ScoreTrial& far) const;
  double TypicalAt(double wanted, const ScoreTrial& near, const ScoreTrial& far) const;
  bool MayDoBelowStep(const ScoreTrial& near, const ScoreTrial& far) const;
  double TypicalFromBelow(double wanted) const;
  double TypicalFromAbove(double wanted) const;

  const Format format_;
  const double needed_;
  const Prior prior_;
  ScoreTrial good_, bad_;
  ScoreTrial former_good_, former_bad_;  // Those before.
};

}  // namespace pixpress
