#include "observe/event_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pixpress {
namespace {

TEST(EventQueue, DropsTheOldestDroppableAndKeepsOrder) {
  EventQueue<int> queue(2);
  queue.PushDroppable(1);
  queue.PushAlways(2);
  queue.PushDroppable(3);
  queue.PushDroppable(4);
  std::vector<int> events;
  EXPECT_TRUE(queue.Wait(0, &events));
  EXPECT_EQ(events, (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_FALSE(queue.Wait(0, &events));
}

TEST(EventQueue, WakeIsRememberedForOneWaitAndCloseEndsAll) {
  EventQueue<int> queue(2);
  std::vector<int> events;
  queue.Wake();
  EXPECT_TRUE(queue.Wait(-1, &events));
  EXPECT_FALSE(queue.Wait(0, &events));
  queue.PushAlways(1);
  queue.Close();
  queue.PushAlways(2);
  EXPECT_TRUE(queue.Wait(-1, &events));
  EXPECT_FALSE(queue.Wait(-1, &events));
  EXPECT_EQ(events, std::vector<int>{1});
}

TEST(EventQueue, LosesNoEventThatMustArrive) {
  EventQueue<int> queue(0);
  std::vector<std::thread> pushers;
  for (int t = 0; t < 4; ++t) {
    pushers.emplace_back([&queue] {
      for (int i = 0; i < 1000; ++i) {
        queue.PushAlways(i);
        queue.PushDroppable(-1);
      }
    });
  }
  std::vector<int> events;
  while (events.size() < 4000) queue.Wait(-1, &events);
  for (std::thread& pusher : pushers) pusher.join();
  EXPECT_EQ(events.size(), 4000u);
  EXPECT_EQ(queue.dropped(), 4000u);
}

}  // namespace
}  // namespace pixpress
