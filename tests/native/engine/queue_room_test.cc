#include "engine/queue_room.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pixpress {
namespace {

class QueueRoomTest : public testing::Test {
 protected:
  bool HasRoom(uint64_t input_bytes) {
    std::unique_lock lock(mutex_);
    return room_.Wait(lock, input_bytes, 0);
  }

  std::mutex mutex_;
  QueueRoom room_;
};

TEST_F(QueueRoomTest, WithoutBoundsThereIsAlwaysRoom) {
  for (int i = 0; i < 1000; ++i) room_.Enter(uint64_t{1} << 40);
  EXPECT_TRUE(HasRoom(uint64_t{1} << 40));
  EXPECT_EQ(room_.jobs(), 1000u);
}

TEST_F(QueueRoomTest, JobsAndBytesAreBounded) {
  room_.SetBounds(3, 100);
  room_.Enter(60);
  EXPECT_TRUE(HasRoom(40));
  EXPECT_FALSE(HasRoom(41));
  room_.Enter(0);
  room_.Enter(0);
  EXPECT_FALSE(HasRoom(0));
  room_.Leave(0);
  EXPECT_TRUE(HasRoom(0));
}

TEST_F(QueueRoomTest, AnInputLargerThanTheBoundGoesInAlone) {
  room_.SetBounds(0, 100);
  EXPECT_TRUE(HasRoom(1000));
  room_.Enter(1);
  EXPECT_FALSE(HasRoom(1000));
}

TEST_F(QueueRoomTest, WhoWaitsIsWokenByALeaveByNewBoundsAndByTheEnd) {
  for (int how = 0; how < 3; ++how) {
    QueueRoom room;
    room.SetBounds(1, 0);
    room.Enter(1);
    std::atomic<bool> is_waiting{false};
    bool has_ended = false;
    std::thread waiter([&] {
      std::unique_lock lock(mutex_);
      is_waiting.store(true);
      has_ended = room.Wait(lock, 1, -1);
    });
    while (!is_waiting.load()) std::this_thread::yield();
    {
      const std::lock_guard lock(mutex_);  // The waiter has given it up: it waits.
      if (how == 0) room.Leave(1);
      if (how == 1) room.SetBounds(2, 0);
      if (how == 2) room.Close();
    }
    waiter.join();
    EXPECT_TRUE(has_ended) << how;
  }
}

}  // namespace
}  // namespace pixpress
