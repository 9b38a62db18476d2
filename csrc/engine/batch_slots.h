#pragma once
// The time by which jobs of batches are ordered, so that those that come together run by group.

#include <cstdint>
#include <map>

namespace pixpress {

// Not thread-safe; its owner locks.
class BatchSlots {
 public:
  // When the slot of this batch (0: none) began that a job of now belongs to; see kBatchSlotNs.
  int64_t OrderTime(uint64_t batch, int64_t now_ns);

 private:
  std::map<uint64_t, int64_t> began_ns_;
};

}  // namespace pixpress
