#include "engine/commit_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

#include "base/clock.h"

namespace pixpress {
namespace {

constexpr int64_t kLongNs = 60 * kNsPerSecond;

TEST(CommitThread, TakesWhatCameMeanwhileAsOneGroupInOrder) {
  std::binary_semaphore has_begun{0};
  std::binary_semaphore may_end{0};
  std::vector<std::vector<std::string>> groups;
  CommitThread thread([&](std::vector<Ending> group) {
    groups.emplace_back();
    for (const Ending& ending : group) groups.back().push_back(ending.status.message());
    if (groups.size() > 1) return;
    has_begun.release();
    may_end.acquire();
  });
  const auto push = [&](const char* name) {
    thread.Push({.job = nullptr, .status = Status(StatusCode::kInternal, name)});
  };
  push("first");
  has_begun.acquire();
  push("second");
  push("third");
  may_end.release();
  ASSERT_TRUE(thread.Stop(kLongNs));
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1], std::vector<std::string>({"second", "third"}));
}

TEST(CommitThread, StopCommitsWhatIsThereAndSaysWhenThatTakesTooLong) {
  std::binary_semaphore has_begun{0};
  std::binary_semaphore may_end{0};
  std::atomic<size_t> count{0};
  CommitThread thread([&](std::vector<Ending> group) {
    has_begun.release();
    may_end.acquire();
    count += group.size();
  });
  thread.Push({.job = nullptr});
  has_begun.acquire();
  EXPECT_FALSE(thread.Stop(1));
  may_end.release();
  EXPECT_TRUE(thread.Stop(kLongNs));
  EXPECT_EQ(count.load(), 1u);
}

TEST(CommitThread, WakeCommitsNothingOnce) {
  std::binary_semaphore is_called{0};
  CommitThread thread([&](std::vector<Ending> group) {
    EXPECT_TRUE(group.empty());
    is_called.release();
  });
  thread.Wake();
  is_called.acquire();
  EXPECT_TRUE(thread.Stop(kLongNs));
}

}  // namespace
}  // namespace pixpress
