#include "store/single_flight.h"

#include <gtest/gtest.h>

#include <random>

namespace pixpress {
namespace {

using Jobs = std::vector<uint64_t>;
const Sha256Digest kKey = Sha256::Of("key");
const Sha256Digest kOther = Sha256::Of("other");

TEST(SingleFlight, TheFirstOfAKeyLeadsAndTheOthersWait) {
  SingleFlight flights;
  EXPECT_TRUE(flights.Join(kKey, 1));
  EXPECT_FALSE(flights.Join(kKey, 2));
  EXPECT_TRUE(flights.Join(kOther, 3)) << "keys are apart";
  EXPECT_FALSE(flights.Waits(1));
  EXPECT_TRUE(flights.Waits(2));
  EXPECT_FALSE(flights.Waits(3));
  EXPECT_FALSE(flights.Waits(4)) << "never seen";
  EXPECT_EQ(flights.KeyOf(1), kKey);
  EXPECT_EQ(flights.KeyOf(2), kKey);
  EXPECT_EQ(flights.KeyOf(4), std::nullopt);
}

TEST(SingleFlight, ALeaderThatComesAgainStillLeads) {
  SingleFlight flights;
  EXPECT_TRUE(flights.Join(kKey, 1));
  EXPECT_FALSE(flights.Join(kKey, 2));
  EXPECT_TRUE(flights.Join(kKey, 1));
  EXPECT_EQ(flights.Leave(1), Jobs{2});
}

TEST(SingleFlight, TheEndOfTheLeaderCallsAllWhoWaitInOrderAndNoLaterOne) {
  SingleFlight flights;
  EXPECT_TRUE(flights.Join(kKey, 7));
  for (const uint64_t job : {9, 8, 11}) EXPECT_FALSE(flights.Join(kKey, job));
  EXPECT_EQ(flights.Leave(7), (Jobs{8, 9, 11}));
  EXPECT_EQ(flights.Leave(7), Jobs{});
  EXPECT_FALSE(flights.Waits(8));
  EXPECT_TRUE(flights.Join(kKey, 11)) << "whoever comes first leads next";
  EXPECT_FALSE(flights.Join(kKey, 8));
  EXPECT_EQ(flights.Leave(11), Jobs{8});
}

TEST(SingleFlight, OneThatWaitsMayLeaveAndCallsNobody) {
  SingleFlight flights;
  EXPECT_TRUE(flights.Join(kKey, 1));
  EXPECT_FALSE(flights.Join(kKey, 2));
  EXPECT_FALSE(flights.Join(kKey, 3));
  EXPECT_EQ(flights.Leave(2), Jobs{});
  EXPECT_FALSE(flights.Waits(2));
  EXPECT_EQ(flights.Leave(1), Jobs{3});
  EXPECT_EQ(flights.Leave(4), Jobs{}) << "never seen";
}

// Whoever waits, waits for a leader that has not left: else it would wait for ever.
TEST(SingleFlight, NobodyIsForgottenInAnyOrderOfEvents) {
  std::mt19937 random(1);
  SingleFlight flights;
  std::set<uint64_t> leading, waiting;
  const auto leave = [&](uint64_t job) {
    const bool did_lead = leading.erase(job) > 0;
    waiting.erase(job);
    const Jobs called = flights.Leave(job);
    EXPECT_TRUE(did_lead || called.empty());
    for (const uint64_t other : called) EXPECT_EQ(waiting.erase(other), 1u);
  };
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t job = random() % 30;
    if (random() % 3 == 0) {
      leave(job);
    } else if (!waiting.contains(job) && !leading.contains(job)) {
      (flights.Join(job % 2 == 0 ? kKey : kOther, job) ? leading : waiting).insert(job);
    }
    EXPECT_LE(leading.size(), 2u);
    EXPECT_TRUE(waiting.empty() || !leading.empty());
    for (const uint64_t other : waiting) EXPECT_TRUE(flights.Waits(other));
  }
  for (uint64_t job = 0; job < 30; ++job) leave(job);
  EXPECT_TRUE(waiting.empty() && leading.empty());
}

}  // namespace
}  // namespace pixpress
