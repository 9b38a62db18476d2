#pragma once
// Durations in buckets of fixed number: percentiles within 12.5 % at any count.

#include <array>
#include <cstddef>
#include <cstdint>

namespace pixpress {

// Not thread-safe; its owner locks. 2 KiB, whatever it holds.
class Histogram {
 public:
  void Add(int64_t duration_ns);
  uint64_t count() const { return count_; }
  int64_t sum_ns() const { return sum_ns_; }
  // The duration that `fraction` (0 to 1) of all are not longer than: the upper end of its bucket.
  // 0 if there is none.
  int64_t PercentileNs(double fraction) const;

 private:
  // Buckets of 1 us up to 8 us, then 8 for each doubling, up to 4.7 hours.
  static constexpr size_t kBuckets = 256;
  static size_t BucketOf(int64_t duration_ns);
  static int64_t UpperEndNs(size_t bucket);

  std::array<uint64_t, kBuckets> counts_ = {};
  uint64_t count_ = 0;
  int64_t sum_ns_ = 0;
};

}  // namespace pixpress
