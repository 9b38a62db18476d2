#include "pipeline/search.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/log_size.h"
#include "pipeline/typical_size.h"

namespace pixpress {
namespace {

constexpr int kMostEncodes = 6;
// After so many encodes more may be lost.
constexpr int kFewEncodes = 3;
// After so many the rest is found by halving.
constexpr int kMostGuesses = 5;
constexpr int kLowestQuality = 1;
// An output that is smaller than the limit by so many parts of it is good enough.
constexpr uint64_t kClosePart = 20;
constexpr uint64_t kClosePartLate = 14;
// Binary logarithms of sizes from here on. The asked quality is not tried if it is expected to be
// so much too large.
constexpr double kFarTooLarge = 0.5;
// Guesses aim a little below the limit, since one that is too large costs an encode: by this, and
// by a part of how far the nearest trial is away.
constexpr double kMargin = 0.006;
constexpr double kMarginPart = 0.02;
// Two trials as near as that tell how sizes change, whatever is typical; later any two do.
constexpr double kNear = 0.4;
// How much faster or slower than is typical sizes may change else.
constexpr double kFlattest = 0.5;
constexpr double kSteepest = 1.6;

class SizeSearch {
 public:
  SizeSearch(const EncodeAt& encode, const SizeGoal& goal, Meter& meter)
      : encode_(encode), goal_(goal), meter_(meter), large_(goal.too_large), larger_(goal.known) {}

  Result<SearchResult> Run() {
    int quality = FirstQuality();
    while (quality != 0) {
      PIXPRESS_RETURN_IF_ERROR(Try(quality));
      if (HighestQuality() < kLowestQuality) return TooLarge(large_.size_bytes, goal_.max_bytes);
      quality = NextQuality();
    }
    return std::move(*best_);
  }

 private:
  Status Try(int quality) {
    ByteChain out(meter_);
    PIXPRESS_RETURN_IF_ERROR(encode_(quality, &out));
    ++encodes_;
    const SizeTrial trial = {quality, out.size_bytes()};
    if (goal_.max_bytes == 0 || trial.size_bytes <= goal_.max_bytes) {
      fit_ = trial;
      best_.emplace(SearchResult{std::move(out), quality, std::nullopt});
    } else {
      larger_ = large_;
      large_ = trial;
    }
    return Status();
  }

  int FirstQuality() const {
    if (large_.quality != 0) return NextQuality();
    const SizeTrial& prior = goal_.prior;
    if (goal_.max_bytes == 0 || prior.quality == 0) return goal_.quality;
    const double limit = Typical(prior) + LogSize(goal_.max_bytes) - LogSize(prior.size_bytes);
    if (TypicalSize(goal_.format, goal_.quality) < limit + kFarTooLarge) return goal_.quality;
    return std::min(static_cast<int>(QualityOfTypicalSize(goal_.format, limit)), goal_.quality);
  }

  int HighestQuality() const {
    if (large_.quality == 0) return goal_.quality;
    return OtherQuality(goal_.format, large_.quality, -1);
  }

  // 0: what there is will do.
  int NextQuality() const {
    const bool fits = fit_.quality != 0;
    const int low = fits ? OtherQuality(goal_.format, fit_.quality, 1) : kLowestQuality;
    const int high = HighestQuality();
    if (fits && (low > high || IsClose() || encodes_ >= kMostEncodes)) return 0;
    if (fits && encodes_ >= kMostGuesses) return low + (high - low) / 2;
    const double limit = LogSize(goal_.max_bytes);
    if (fits && IsNear() && QualityOfSize(limit) < low) return 0;
    const double far = std::abs(LogSize(Nearest().size_bytes) - limit);
    const double doubled = std::ldexp(1, std::max(encodes_ - kFewEncodes, 0)) - 1;
    const double aim = limit - kMargin - kMarginPart * (far + doubled);
    return std::clamp(static_cast<int>(QualityOfSize(aim)), low, high);
  }

  // So little below the limit that a better quality would hardly be seen.
  bool IsClose() const {
    const uint64_t part = encodes_ < kFewEncodes ? kClosePart : kClosePartLate;
    return fit_.size_bytes >= goal_.max_bytes - goal_.max_bytes / part;
  }
  bool IsNear() const { return LogSize(goal_.max_bytes) - LogSize(fit_.size_bytes) < kNear; }

  double Typical(const SizeTrial& trial) const { return TypicalSize(goal_.format, trial.quality); }

  const SizeTrial& Nearest() const {
    if (large_.quality == 0) return fit_;
    if (fit_.quality == 0) return large_;
    const double limit = LogSize(goal_.max_bytes);
    return limit - LogSize(fit_.size_bytes) < LogSize(large_.size_bytes) - limit ? fit_ : large_;
  }

  double QualityOfSize(double size) const {
    const SizeTrial& near = Nearest();
    const SizeTrial& far = &near == &fit_ ? large_ : fit_.quality != 0 ? fit_ : larger_;
    const double typical = Typical(near) + (size - LogSize(near.size_bytes)) / Slope(near, far);
    return QualityOfTypicalSize(goal_.format, typical);
  }

  double Slope(const SizeTrial& near, const SizeTrial& far) const {
    if (far.quality == 0) return 1;
    const double step = LogSize(far.size_bytes) - LogSize(near.size_bytes);
    const double slope = step / (Typical(far) - Typical(near));
    const bool is_bracket = fit_.quality != 0 && large_.quality != 0;
    if (is_bracket && (std::abs(step) < kNear || encodes_ >= kFewEncodes)) return slope;
    return std::clamp(slope, kFlattest, kSteepest);
  }

  const EncodeAt& encode_;
  const SizeGoal& goal_;
  Meter& meter_;
  int encodes_ = 0;
  std::optional<SearchResult> best_;
  // The highest quality known to fit, the lowest one known not to, and another trial: the one
  // before that, or of whoever asks.
  SizeTrial fit_, large_, larger_;
};

}  // namespace

int OtherQuality(Format format, int quality, int step) {
  int other = quality + step;
  const Codec* const codec = FindCodec(format);
  if (codec == nullptr || codec->quality_level == nullptr) return other;
  const int level = codec->quality_level(quality);
  while (other >= 1 && other <= 100 && codec->quality_level(other) == level) other += step;
  return other;
}

Result<SearchResult> SearchQuality(const EncodeAt& encode, const SizeGoal& goal, Meter& meter) {
  return SizeSearch(encode, goal, meter).Run();
}

Status TooLarge(uint64_t smallest_bytes, uint64_t max_bytes) {
  return Status(StatusCode::kLimitExceeded,
                "max_bytes is " + std::to_string(max_bytes) + ", and quality 1 still makes " +
                    std::to_string(smallest_bytes) + " bytes; a smaller width or height would fit");
}

Status CheckMaxBytes(uint64_t size_bytes, uint64_t max_bytes) {
  if (max_bytes == 0 || size_bytes <= max_bytes) return Status();
  return Status(StatusCode::kLimitExceeded, "max_bytes is " + std::to_string(max_bytes) +
                                                ", and the output has " +
                                                std::to_string(size_bytes) + " bytes");
}

}  // namespace pixpress
