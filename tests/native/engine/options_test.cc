#include <gtest/gtest.h>

#include "engine/config.h"

namespace pixpress {
namespace {

TEST(Options, AreSetByName) {
  EngineOptions options;
  EXPECT_TRUE(SetOption("max_workers", 7, &options));
  EXPECT_TRUE(SetOption("backoff_multiplier", 1.5, &options));
  EXPECT_TRUE(SetOption("task_timeout", 3e11, &options));
  EXPECT_TRUE(SetOption("adaptive_concurrency", 0, &options));
  EXPECT_EQ(options.max_workers, 7u);
  EXPECT_EQ(options.backoff_multiplier, 1.5);
  EXPECT_EQ(options.task_timeout_ns, 300'000'000'000);
  EXPECT_FALSE(options.adaptive_concurrency);
  EXPECT_FALSE(SetOption("max_worker", 7, &options));
}

TEST(Options, DefaultsFollowTheMachineAndBoundsHold) {
  EngineOptions options;
  options.min_workers = 1000;
  options.max_workers = 3;
  const EngineOptions sane = WithDefaults(options);
  EXPECT_EQ(sane.min_workers, 3u);
  EXPECT_GT(sane.memory_limit_bytes, 0u);
  EXPECT_LE(sane.memory_limit_bytes, size_t{4} << 30);
  EXPECT_EQ(WithDefaults({}).max_workers, AllowedCpus());
}

}  // namespace
}  // namespace pixpress
