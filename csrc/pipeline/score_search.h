#pragma once
// The lowest quality whose output looks as good as was asked for.

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "codecs/codec.h"
#include "memory/byte_chain.h"
#include "memory/meter.h"
#include "pipeline/search.h"

namespace pixpress {

// How much an output that was just made looks like its original (SSIMULACRA2).
using ScoreOf = std::function<Result<double>(const ByteChain& data)>;

struct ScoreGoal {
  // How far below the target the score may be.
  static constexpr double kTolerance = 0.25;

  Format format = Format::kUnknown;  // What is made.
  float target = 0;                  // The score to aim at instead of `quality`; 0: none.
  int floor = 0;                     // No output scores less than this; 0: none.
  int quality = 80;                  // Without a target: where to start, and the lowest.
  uint64_t max_bytes = 0;            // No output is larger than this; 0: none.
  // An output larger than this is not kept while another is tried, but made again.
  uint64_t keep_bytes = 0;
  // There is a good enough output of so many bytes already, and no smaller one is likely to come
  // once a trial says so; 0: none.
  uint64_t useless_bytes = 0;
  // Images with shorter sides are scored as mirrored to these (MakeMirrorStep); 0: as they are.
  uint32_t least_side = 0;
  // What the errors of the image are as a multiple of the typical ones, for the first guess.
  double difficulty = 1;
  // Of the source, if the output is made of its coded data; 0: unknown, or of pixels.
  int source_quality = 0;

  bool has_scores() const { return target > 0 || floor > 0; }
  // Scores may be less than 0, also where there is no floor.
  bool IsBelowFloor(double score) const { return floor > 0 && score < floor; }
};

// A first guess by what is typical, then corrections by what was measured; with a target the lowest
// quality that reaches it within the tolerance and the steps that qualities have, else `quality`,
// or more until the floor is reached. Three encodes as a rule. Where max_bytes is in the way, the
// quality is lowered to it, and if the floor is in the way of that, it fails with kLimitExceeded
// and the numbers. An output that reaches neither target nor floor at quality 100 is returned:
// the caller may have something better.
Result<SearchResult> SearchScore(const EncodeAt& encode, const ScoreOf& score,
                                 const ScoreGoal& goal, Meter& meter);

}  // namespace pixpress
