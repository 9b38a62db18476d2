#include "engine/batch_slots.h"

#include <gtest/gtest.h>

#include "sched/task_queue.h"

namespace pixpress {
namespace {

constexpr int64_t kNow = 100 * kBatchSlotNs;

TEST(BatchSlots, JobsWithoutABatchAreOrderedByTheirOwnTime) {
  BatchSlots slots;
  EXPECT_EQ(slots.OrderTime(0, kNow), kNow);
  EXPECT_EQ(slots.OrderTime(0, kNow + 1), kNow + 1);
}

TEST(BatchSlots, JobsOfOneBatchShareTheTimeOfTheirSlot) {
  BatchSlots slots;
  EXPECT_EQ(slots.OrderTime(7, kNow), kNow);
  EXPECT_EQ(slots.OrderTime(7, kNow + kBatchSlotNs - 1), kNow);
  EXPECT_EQ(slots.OrderTime(8, kNow + 5), kNow + 5) << "batches are apart";
  EXPECT_EQ(slots.OrderTime(7, kNow + kBatchSlotNs), kNow + kBatchSlotNs) << "a new slot";
  EXPECT_EQ(slots.OrderTime(7, kNow + kBatchSlotNs + 1), kNow + kBatchSlotNs);
}

TEST(BatchSlots, MoreBatchesThanItRemembersMoveNoSlotThatLasts) {
  BatchSlots slots;
  for (uint64_t batch = 1; batch <= 5000; ++batch) {
    const auto now_ns = kNow + static_cast<int64_t>(batch) * kBatchSlotNs / 1000;
    EXPECT_EQ(slots.OrderTime(batch, now_ns), now_ns);
    EXPECT_EQ(slots.OrderTime(batch, now_ns + 1), now_ns);
  }
}

}  // namespace
}  // namespace pixpress
