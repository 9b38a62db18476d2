#include "memory/budget.h"

#include <gtest/gtest.h>

#include "memory/buffer.h"

namespace pixpress {
namespace {

TEST(MemoryBudget, RefusesWhatDoesNotFitAndTakesItAfterRelease) {
  MemoryBudget budget(100);
  int freed = 0;
  budget.SetOnFreed([&] { ++freed; });
  auto first = budget.TryReserve(1, 70);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(budget.TryReserve(2, 31).has_value());
  EXPECT_TRUE(budget.Fits(2, 30));
  first->Release();
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(budget.used_bytes(), 0u);
  EXPECT_TRUE(budget.TryReserve(2, 100).has_value());
}

// A library may use memory of a reservation that is no buffer.
TEST(MemoryBudget, RetainedBuffersLeaveRoomForReservations) {
  BufferPool buffers(1 << 20);
  MemoryBudget budget(1 << 20, &buffers);
  buffers.Allocate(512 << 10).value().Release();
  buffers.Allocate(256 << 10).value().Release();
  EXPECT_EQ(buffers.retained_bytes(), size_t{768} << 10);
  auto first = budget.TryReserve(1, 256 << 10);
  EXPECT_EQ(buffers.retained_bytes(), size_t{768} << 10);
  auto second = budget.TryReserve(2, 256 << 10);
  EXPECT_EQ(buffers.retained_bytes(), size_t{256} << 10);
  auto buffer = buffers.Allocate(512 << 10);
  EXPECT_EQ(buffers.retained_bytes(), size_t{256} << 10) << "live bytes are some of the reserved";
  buffer.value().Release();
  EXPECT_EQ(buffers.retained_bytes(), size_t{256} << 10) << "no room for this one";
  first->Release();
  second->Release();
  buffers.Allocate(512 << 10).value().Release();
  EXPECT_EQ(buffers.retained_bytes(), size_t{768} << 10);
  budget.SetLimit(256 << 10);
  EXPECT_EQ(buffers.retained_bytes(), size_t{256} << 10);
}

TEST(MemoryBudget, FreedBytesCollectForTheClaimantWhileOthersUseTheRest) {
  MemoryBudget budget(100);
  auto a = budget.TryReserve(1, 40);
  auto b = budget.TryReserve(2, 40);
  EXPECT_TRUE(budget.Claim(9, 70));
  EXPECT_FALSE(budget.Claim(8, 10));
  EXPECT_TRUE(budget.Fits(3, 20));
  a->Release();  // 40 are set aside, 20 stay free for the others.
  EXPECT_FALSE(budget.Fits(3, 21));
  EXPECT_TRUE(budget.Fits(3, 20));
  EXPECT_FALSE(budget.Fits(9, 70));
  b->Release();  // Now 70 are set aside.
  EXPECT_FALSE(budget.Fits(3, 31));
  auto big = budget.TryReserve(9, 70);
  ASSERT_TRUE(big.has_value());
  EXPECT_TRUE(budget.Fits(3, 30));
  EXPECT_TRUE(budget.Claim(8, 10));  // Success ended the claim of 9.
}

TEST(MemoryBudget, UnclaimGivesBackWhatWasSetAside) {
  MemoryBudget budget(100);
  auto a = budget.TryReserve(1, 100);
  EXPECT_TRUE(budget.Claim(9, 100));
  a->Release();
  EXPECT_FALSE(budget.Fits(2, 1));
  budget.Unclaim(8);
  EXPECT_FALSE(budget.Fits(2, 1));
  budget.Unclaim(9);
  EXPECT_TRUE(budget.Fits(2, 100));
  EXPECT_FALSE(budget.Claim(9, 101));
}

}  // namespace
}  // namespace pixpress
