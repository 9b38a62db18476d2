#include "sched/retry_policy.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace pixpress {
namespace {

TEST(RetryPolicy, PassingTroubleOfTheSystemIsRetryable) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN, ETIMEDOUT, ESTALE, EINTR}) {
    EXPECT_TRUE(IsRetryable(StatusCode::kInput, error, false)) << error;
    EXPECT_TRUE(IsRetryable(StatusCode::kOutput, error, false)) << error;
  }
  EXPECT_TRUE(IsRetryable(StatusCode::kMemoryLimit, ENOMEM, false));
}

TEST(RetryPolicy, AMissingFileIsRetryableOnlyIfItWasThere) {
  EXPECT_TRUE(IsRetryable(StatusCode::kInput, ENOENT, true));
  EXPECT_FALSE(IsRetryable(StatusCode::kInput, ENOENT, false));
  EXPECT_FALSE(IsRetryable(StatusCode::kOutput, ENOENT, true));
}

TEST(RetryPolicy, NothingElseIsRetryable) {
  for (const int error : {0, ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EIO, EISDIR}) {
    EXPECT_FALSE(IsRetryable(StatusCode::kInput, error, true)) << error;
    EXPECT_FALSE(IsRetryable(StatusCode::kOutput, error, true)) << error;
  }
  for (const StatusCode code :
       {StatusCode::kUnidentifiedImage, StatusCode::kCorruptImage, StatusCode::kUnsupportedFormat,
        StatusCode::kLimitExceeded, StatusCode::kOption, StatusCode::kTaskTimeout,
        StatusCode::kQueueTimeout, StatusCode::kCancelled, StatusCode::kInternal}) {
    EXPECT_FALSE(IsRetryable(code, EAGAIN, true)) << static_cast<int>(code);
  }
  EXPECT_FALSE(IsRetryable(StatusCode::kMemoryLimit, 0, true));
}

TEST(RetryPolicy, DelaysDoubleFromOneSecondToThirty) {
  const RetryOptions options;
  const std::vector<int64_t> seconds = {1, 2, 4, 8, 16, 30, 30};
  for (uint32_t retry = 0; retry < seconds.size(); ++retry) {
    EXPECT_EQ(RetryCeilingNs(options, retry), seconds[retry] * kNsPerSecond) << retry;
  }
  EXPECT_EQ(RetryCeilingNs(options, 5000), 30 * kNsPerSecond);
}

TEST(RetryPolicy, TheJitterIsFullAndFollowsItsSeed) {
  const RetryOptions options;
  Jitter jitter(42);
  Jitter same(42);
  double least = 1.0;
  double most = 0.0;
  for (int i = 0; i < 10'000; ++i) {
    const double random = jitter.Next();
    ASSERT_EQ(random, same.Next());
    const int64_t delay_ns = RetryDelayNs(options, 2, random);
    ASSERT_GE(delay_ns, 0);
    ASSERT_LT(delay_ns, 4 * kNsPerSecond);
    least = std::min(least, random);
    most = std::max(most, random);
  }
  EXPECT_LT(least, 0.01);
  EXPECT_GT(most, 0.99);
  EXPECT_NE(Jitter(1).Next(), Jitter(2).Next());
}

TEST(RetryPolicy, TheBudgetGivesATenthOfTheTasksAndSomeToSpare) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.OnSubmit();
  int given = 0;
  while (budget.Take()) ++given;
  EXPECT_EQ(given, 110);
}

}  // namespace
}  // namespace pixpress
