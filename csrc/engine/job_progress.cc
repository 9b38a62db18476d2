#include "engine/job_progress.h"

#include <algorithm>

namespace pixpress {
namespace {

constexpr double kLeastStep = 0.01;
constexpr int64_t kLeastIntervalNs = 50 * kNsPerMs;

// Decoding and encoding each move the job over half of what lies between reading and writing.
// Streaming encoders report nothing of their own and finish with the decoder.
constexpr double kReadEnd = 0.02;
constexpr double kOptimizeBegin = 0.95;
constexpr double kWriteBegin = 0.98;

double OverallFraction(Stage stage, double fraction) {
  const double half = (kOptimizeBegin - kReadEnd) / 2;
  switch (stage) {
    case Stage::kRead:
    case Stage::kProbe:
    case Stage::kPlan:
      return kReadEnd * fraction;
    case Stage::kDecode:
    case Stage::kResize:
    case Stage::kQuantize:
      return kReadEnd + half * fraction;
    case Stage::kEncode:
      return kReadEnd + half + half * fraction;
    case Stage::kOptimize:
      return kOptimizeBegin + (kWriteBegin - kOptimizeBegin) * fraction;
    default:
      return kWriteBegin;
  }
}

}  // namespace

void JobProgress::Report(Stage stage, double fraction) {
  const double overall = std::min(1.0, OverallFraction(stage, std::clamp(fraction, 0.0, 1.0)));
  if (overall < last_fraction_ + kLeastStep) return;
  const int64_t now_ns = clock_.NowNs();
  if (now_ns - last_ns_ < kLeastIntervalNs) return;
  last_ns_ = now_ns;
  last_fraction_ = overall;
  emit_(stage, static_cast<float>(overall));
}

}  // namespace pixpress
