#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>
#include <thread>

#include "scripted_engine.h"

namespace pixpress {
namespace {

constexpr int kThreads = 4;
constexpr int kJobsPerThread = 5000;

// Submits, cancels, re-prioritizes and looks up at random.
void Disturb(ScriptedEngine& scripted, int seed) {
  std::minstd_rand random(static_cast<uint32_t>(seed));
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < kJobsPerThread; ++i) {
    const uint32_t kind = random() % 10;
    const char* name = kind == 0 ? "passing" : kind == 1 ? "corrupt" : "good";
    jobs.push_back(scripted.Submit(name, static_cast<Priority>(random() % 4), random() % 3,
                                   static_cast<uint32_t>(random() % 5)));
    const auto& other = jobs[random() % jobs.size()];
    if (random() % 8 == 0) scripted.engine().Cancel(other);
    if (random() % 8 == 0) {
      (void)scripted.engine().SetPriority(other->id, static_cast<Priority>(random() % 4));
    }
    if (random() % 16 == 0 && scripted.engine().Find(other->id) != nullptr) {
      (void)scripted.engine().Describe(*other);
    }
  }
}

TEST(Stress, EachOfTwentyThousandJobsEndsExactlyOnce) {
  EngineOptions options;
  options.max_workers = 8;
  options.queue_timeout_ns = 3600 * kNsPerSecond;
  ScriptedEngine scripted(options);
  scripted.Script("passing", {Status(StatusCode::kInput, "again", EAGAIN)});
  scripted.Script("corrupt", {Status(StatusCode::kUnidentifiedImage, "bad")});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(Disturb, std::ref(scripted), t);
  std::atomic<bool> is_over{false};
  std::thread time([&] {
    while (!is_over.load()) {
      scripted.Advance(kNsPerSecond / 10);
      (void)scripted.engine().Metrics();
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(scripted.engine().WaitIdle(-1));
  is_over.store(true);
  time.join();
  std::map<TaskId, int> ends;
  uint64_t by_state[5] = {};
  for (const Event& event : scripted.Events()) {
    if (event.type != EventType::kTaskEnded) continue;
    ++ends[event.job->id];
    ++by_state[static_cast<size_t>(event.job->state.load())];
  }
  EXPECT_EQ(ends.size(), size_t{kThreads} * kJobsPerThread);
  for (const auto& [id, count] : ends) ASSERT_EQ(count, 1) << id;
  const EngineStats stats = scripted.engine().Stats();
  EXPECT_EQ(stats.succeeded, by_state[static_cast<size_t>(JobState::kDone)]);
  EXPECT_EQ(stats.failed, by_state[static_cast<size_t>(JobState::kFailed)]);
  EXPECT_EQ(stats.cancelled, by_state[static_cast<size_t>(JobState::kCancelled)]);
  EXPECT_EQ(stats.submitted, stats.succeeded + stats.failed + stats.cancelled);
  EXPECT_EQ(stats.queued + stats.running + stats.retrying, 0u);
}

}  // namespace
}  // namespace pixpress
