#include "observe/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pixpress {
namespace {

constexpr uint64_t kUnitNs = 1000;
constexpr uint64_t kStepsPerDoubling = 8;
constexpr int kStepBits = 3;

}  // namespace

size_t Histogram::BucketOf(int64_t duration_ns) {
  const uint64_t units = static_cast<uint64_t>(std::max<int64_t>(duration_ns, 0)) / kUnitNs;
  if (units < kStepsPerDoubling) return units;
  const int doubling = std::bit_width(units) - 1 - kStepBits;  // 0 for 8 to 15 units.
  const uint64_t step = (units >> doubling) - kStepsPerDoubling;
  const uint64_t bucket = (static_cast<uint64_t>(doubling) + 1) * kStepsPerDoubling + step;
  return std::min<uint64_t>(bucket, kBuckets - 1);
}

int64_t Histogram::UpperEndNs(size_t bucket) {
  if (bucket < kStepsPerDoubling) return static_cast<int64_t>((bucket + 1) * kUnitNs);
  const uint64_t doubling = bucket / kStepsPerDoubling - 1;
  const uint64_t step = bucket % kStepsPerDoubling;
  return static_cast<int64_t>(((kStepsPerDoubling + step + 1) << doubling) * kUnitNs);
}

void Histogram::Add(int64_t duration_ns) {
  ++counts_[BucketOf(duration_ns)];
  ++count_;
  sum_ns_ += std::max<int64_t>(duration_ns, 0);
}

int64_t Histogram::PercentileNs(double fraction) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= std::max<uint64_t>(wanted, 1)) return UpperEndNs(bucket);
  }
  return UpperEndNs(kBuckets - 1);
}

}  // namespace pixpress
