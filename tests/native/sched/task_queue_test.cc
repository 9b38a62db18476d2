#include "sched/task_queue.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pixpress {
namespace {

bool Always(const TaskQueue::Entry&) { return true; }

TaskQueue::Entry At(TaskId id, Priority priority, int64_t second, bool is_small = false,
                    uint32_t retries = 0) {
  TaskQueue::Entry entry;
  entry.id = id;
  entry.key = {priority, is_small, retries, second * kNsPerSecond};
  return entry;
}

TaskId Pop(TaskQueue& queue) {
  const auto entry = queue.PopFirst(Always, 100);
  return entry.has_value() ? entry->id : 0;
}

TEST(TaskQueue, LowRunsBeforeEveryCriticalSubmitted300SecondsLater) {
  TaskQueue queue;
  queue.Push(At(1, Priority::kLow, 1000));
  queue.Push(At(2, Priority::kCritical, 1300));
  queue.Push(At(3, Priority::kCritical, 1299));
  EXPECT_EQ(Pop(queue), 3u);
  EXPECT_EQ(Pop(queue), 1u);
  EXPECT_EQ(Pop(queue), 2u);
}

TEST(TaskQueue, SmallCriticalsMustComeLaterBy350SecondsAndRetriesBy20Each) {
  TaskQueue queue;
  queue.Push(At(1, Priority::kLow, 1000));
  queue.Push(At(2, Priority::kCritical, 1349, true));
  queue.Push(At(3, Priority::kCritical, 1350, true));
  queue.Push(At(4, Priority::kCritical, 1389, true, 2));
  queue.Push(At(5, Priority::kCritical, 1390, true, 2));
  EXPECT_EQ(Pop(queue), 2u);
  EXPECT_EQ(Pop(queue), 4u);
  EXPECT_EQ(Pop(queue), 1u);
}

TEST(TaskQueue, OnlyTriedEntriesCountOvertakesAndLooksAreBounded) {
  TaskQueue queue;
  TaskQueue::Entry tried = At(1, Priority::kNormal, 1);
  tried.blocked_since_ns = 5;
  queue.Push(tried);
  queue.Push(At(2, Priority::kNormal, 2));
  queue.Push(At(3, Priority::kNormal, 3));
  const auto is_third = [](const TaskQueue::Entry& entry) { return entry.id == 3; };
  EXPECT_FALSE(queue.PopFirst(is_third, 2).has_value());
  EXPECT_EQ(queue.FirstBlocked()->overtaken, 0u);
  EXPECT_EQ(queue.PopFirst(is_third, 3)->id, 3u);
  EXPECT_EQ(queue.FirstBlocked()->overtaken, 1u);
  EXPECT_EQ(queue.PopFirst(Always, 9)->id, 1u);
  EXPECT_EQ(queue.PopFirst(Always, 9)->overtaken, 0u);
}

TEST(TaskQueue, ABatchRunsByGroupThenSizeAndPrioritiesStillCount) {
  TaskQueue queue;
  const auto push = [&queue](TaskId id, uint64_t batch, uint32_t group, uint64_t size,
                             Priority priority = Priority::kNormal) {
    TaskQueue::Entry entry = At(id, priority, 100);
    entry.key.batch = batch;
    entry.key.group = group;
    entry.key.size_bytes = size;
    queue.Push(entry);
  };
  push(1, 7, 2, 10);
  push(2, 7, 1, 30);
  push(3, 7, 2, 5);
  push(4, 7, 1, 20);
  push(5, 7, 3, 1, Priority::kHigh);
  push(6, 0, 9, 1);
  std::vector<TaskId> order;
  while (const TaskId id = Pop(queue)) order.push_back(id);
  EXPECT_EQ(order, (std::vector<TaskId>{5, 6, 4, 2, 3, 1}));
}

TEST(TaskQueue, RemoveAndSetPriorityFindEntriesById) {
  TaskQueue queue;
  for (TaskId id = 1; id <= 3; ++id) queue.Push(At(id, Priority::kLow, 0));
  EXPECT_TRUE(queue.SetPriority(3, Priority::kHigh));
  EXPECT_TRUE(queue.Remove(1));
  EXPECT_FALSE(queue.Remove(1));
  EXPECT_FALSE(queue.SetPriority(1, Priority::kHigh));
  EXPECT_EQ(Pop(queue), 3u);
  EXPECT_EQ(Pop(queue), 2u);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace pixpress
