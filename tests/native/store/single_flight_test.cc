#include "store/single_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <utility>
#include <vector>

namespace pixpress {
namespace {

const Sha256Digest kKey = Sha256::Of("key");

TEST(SingleFlight, TheFirstLeadsAndKeysAreApart) {
  SingleFlight flights;
  const auto first = flights.Begin(kKey);
  const auto second = flights.Begin(kKey);
  const auto other = flights.Begin(Sha256::Of("other"));
  EXPECT_TRUE(first.is_leader());
  EXPECT_FALSE(second.is_leader());
  EXPECT_TRUE(other.is_leader());
}

TEST(SingleFlight, WhatTheLeaderEndsWithReachesTheOthersAndNoLaterJob) {
  for (const FlightEnd how : {FlightEnd::kShared, FlightEnd::kUnshared}) {
    SingleFlight flights;
    auto leader = flights.Begin(kKey);
    auto follower = flights.Begin(kKey);
    FlightEnd end = FlightEnd::kAbandoned;
    EXPECT_FALSE(follower.Poll(&end));
    leader.End(how);
    EXPECT_FALSE(leader.is_leader());
    EXPECT_TRUE(flights.Begin(kKey).is_leader());
    EXPECT_TRUE(follower.Poll(&end));
    EXPECT_EQ(end, how);
    EXPECT_FALSE(follower.is_leader());
    EXPECT_EQ(follower.Wait(StopToken()).value(), how);
  }
}

TEST(SingleFlight, AnAbandonedLeadGoesToExactlyOneOfTheOthers) {
  SingleFlight flights;
  std::vector<SingleFlight::Flight> all;
  all.push_back(flights.Begin(kKey));
  for (int i = 0; i < 3; ++i) all.push_back(flights.Begin(kKey));
  { const SingleFlight::Flight leader = std::move(all[0]); }
  FlightEnd end = FlightEnd::kShared;
  EXPECT_TRUE(all[1].Poll(&end));
  EXPECT_EQ(end, FlightEnd::kAbandoned);
  EXPECT_TRUE(all[1].is_leader());
  EXPECT_FALSE(all[2].Poll(&end));
  all[1].End(FlightEnd::kAbandoned);  // As a job that goes back to the queue.
  EXPECT_TRUE(flights.Begin(kKey).is_leader()) << "one that comes now may lead as well";
  EXPECT_TRUE(all[3].Poll(&end));
  all[3].End(FlightEnd::kShared);
  EXPECT_EQ(all[2].Wait(StopToken()).value(), FlightEnd::kShared);
}

TEST(SingleFlight, WaitingEndsWhenTheJobIsStopped) {
  SingleFlight flights;
  auto leader = flights.Begin(kKey);
  auto follower = flights.Begin(kKey);
  StopSource stop;
  Status status;
  std::thread waiter([&] { status = follower.Wait(StopToken(stop)).status(); });
  stop.RequestStop(StopReason::kCancelled);
  waiter.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(leader.is_leader());
}

TEST(SingleFlight, OfManyThreadsOneAtATimeWorksAndNoneIsForgotten) {
  SingleFlight flights;
  std::atomic<int> working{0}, overlaps{0}, ended{0}, runs{0}, waits{0};
  std::vector<std::thread> threads;
  std::barrier start(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < 500; ++i) {
        auto flight = flights.Begin(kKey);
        bool is_led = flight.is_leader();
        while (!is_led) {
          ++waits;
          const FlightEnd end = flight.Wait(StopToken()).value();
          is_led = end == FlightEnd::kAbandoned;
          if (end != FlightEnd::kAbandoned) break;
        }
        if (is_led) {
          overlaps += working++ != 0;
          ++runs;
          std::this_thread::yield();  // So that others find it leading.
          --working;
          // Every third leader gives up, by either way.
          if ((t + i) % 3 != 0) flight.End(FlightEnd::kShared);
          if ((t + i) % 6 == 0) flight.End(FlightEnd::kAbandoned);
        }
        ++ended;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(ended, 4000);
  EXPECT_GT(runs, 0);
  EXPECT_GT(waits, 0);
  EXPECT_TRUE(flights.Begin(kKey).is_leader());
}

}  // namespace
}  // namespace pixpress
