#include "engine/suspects.h"

#include <gtest/gtest.h>

namespace pixpress {
namespace {

using Ids = std::vector<TaskId>;

TEST(Suspects, WithoutAnyEveryJobMayRun) {
  Suspects suspects;
  EXPECT_TRUE(suspects.MayRun(7));
  EXPECT_EQ(suspects.Clear(7), Ids());
}

TEST(Suspects, RunOneAfterTheOtherBeforeAllElse) {
  Suspects suspects;
  suspects.Add(3);
  suspects.Add(1);
  EXPECT_TRUE(suspects.MayRun(3));
  EXPECT_FALSE(suspects.MayRun(1));
  suspects.Hold(1);
  suspects.Hold(2);
  suspects.Hold(4);
  EXPECT_EQ(suspects.Clear(3), Ids({1}));
  EXPECT_FALSE(suspects.MayRun(2));
  EXPECT_EQ(suspects.Clear(1), Ids({2, 4}));
  EXPECT_TRUE(suspects.MayRun(2));
}

TEST(Suspects, OneThatEndsBeforeItsTurnIsNotWaitedFor) {
  Suspects suspects;
  suspects.Add(1);
  suspects.Add(2);
  suspects.Hold(2);
  suspects.Hold(3);
  EXPECT_TRUE(suspects.Drop(2));
  EXPECT_FALSE(suspects.Drop(2));
  EXPECT_EQ(suspects.Clear(2), Ids());
  EXPECT_EQ(suspects.Clear(1), Ids({3}));
}

TEST(Suspects, NothingRunsBeforeTheNextOneWasHandedIn) {
  Suspects suspects;
  suspects.Add(1);
  suspects.Add(2);
  suspects.Hold(3);
  EXPECT_EQ(suspects.Clear(1), Ids());
  EXPECT_TRUE(suspects.MayRun(2));
  EXPECT_EQ(suspects.Clear(2), Ids({3}));
}

}  // namespace
}  // namespace pixpress
