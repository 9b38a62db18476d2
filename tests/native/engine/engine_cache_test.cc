#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>

#include "engine/cached_engine.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;
const Status kRefused(StatusCode::kOption, "refused");
const Status kBusy(StatusCode::kInput, "busy", EMFILE);

class EngineCacheTest : public FolderTest {
 protected:
  std::string Folder() const { return Path("cache"); }
};

std::string OutputOf(const Job& job) {
  if (!job.result.data.has_value()) return "nothing";
  std::string bytes(job.result.data->size_bytes(), '\0');
  job.result.data->CopyTo(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

double Number(const NamedNumbers& numbers, const std::string& name) {
  for (const auto& [key, value] : numbers) {
    if (key == name) return value;
  }
  ADD_FAILURE() << name << " is missing";
  return -1.0;
}

TEST_F(EngineCacheTest, TheSecondOfTwoIdenticalJobsIsAnsweredWithoutARun) {
  for (const bool is_first : {true, false}) {
    CachedEngine engine(Folder());  // The second one finds what the first has left.
    const auto job = engine.Submit("image");
    EXPECT_EQ(engine.EndOf(job), JobState::kDone);
    EXPECT_EQ(engine.runs("image"), is_first ? 1 : 0);
    EXPECT_EQ(job->is_from_cache, !is_first);
    EXPECT_EQ(job->attempts, 1u);
    EXPECT_EQ(OutputOf(*job), "image");
    const NamedNumbers metrics = engine.Metrics();
    EXPECT_EQ(Number(metrics, "cache.hits"), is_first ? 0 : 1);
    EXPECT_EQ(Number(metrics, "cache.misses"), is_first ? 1 : 0);
    EXPECT_EQ(Number(metrics, "cache.stores"), is_first ? 1 : 0);
    EXPECT_EQ(Number(metrics, "cache.entries"), 1);
  }
}

TEST_F(EngineCacheTest, IdenticalJobsInFlightRunOnceAndThoseThatWaitHoldNoWorker) {
  CachedEngine engine(Folder());
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 20; ++i) jobs.push_back(engine.Submit("hold"));
  engine.Await(19, 1);
  EXPECT_EQ(engine.EndOf(engine.Submit("another")), JobState::kDone) << "on the second worker";
  engine.LetGo();
  int from_cache = 0;
  for (const auto& job : jobs) {
    EXPECT_EQ(engine.EndOf(job), JobState::kDone);
    EXPECT_EQ(OutputOf(*job), "hold");
    from_cache += job->is_from_cache;
  }
  EXPECT_EQ(engine.runs("hold"), 1);
  EXPECT_EQ(from_cache, 19);
  EXPECT_EQ(Number(engine.Metrics(), "cache.hits"), 19);
}

TEST_F(EngineCacheTest, IfTheFirstFailsTheOthersRunByThemselves) {
  CachedEngine engine(Folder());
  engine.Script("hang", {kRefused});
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(engine.Submit("hang"));
  engine.Await(3, 1);
  engine.LetGo();
  int failed = 0;
  for (const auto& job : jobs) failed += engine.EndOf(job) == JobState::kFailed;
  EXPECT_EQ(failed, 1);
  EXPECT_GE(engine.runs("hang"), 2);
}

TEST_F(EngineCacheTest, IfTheFirstIsCancelledTheNextOneRuns) {
  CachedEngine engine(Folder());
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(engine.Submit("hold"));
  engine.Await(3, 1);
  std::shared_ptr<Job> first;
  for (const auto& job : jobs) {
    if (job->state.load() == JobState::kRunning) first = job;
  }
  ASSERT_NE(first, nullptr);
  EXPECT_TRUE(engine.engine().Cancel(first));
  EXPECT_EQ(engine.EndOf(first), JobState::kCancelled);
  for (int begun = 0; begun < 2; ++begun) engine.begun.acquire();
  engine.Await(2, 1);
  EXPECT_EQ(engine.runs("hold"), 2) << "one of the others, and not all of them";
  engine.LetGo();
  for (const auto& job : jobs) {
    if (job == first) continue;
    EXPECT_EQ(engine.EndOf(job), JobState::kDone);
  }
  EXPECT_EQ(engine.runs("hold"), 2);
}

TEST_F(EngineCacheTest, WhoeverWaitsIsCancelledAtOnce) {
  CachedEngine engine(Folder());
  const auto first = engine.Submit("hang");
  engine.begun.acquire();
  const auto second = engine.Submit("hang");
  engine.Await(1, 1);
  EXPECT_TRUE(engine.engine().Cancel(second));
  EXPECT_EQ(second->state.load(), JobState::kCancelled) << "while the first one hangs";
  EXPECT_EQ(engine.engine().Stats().queued, 0u);
  engine.LetGo();
  EXPECT_EQ(engine.EndOf(first), JobState::kDone);
  EXPECT_EQ(engine.runs("hang"), 1);
}

TEST_F(EngineCacheTest, WaitingForAnotherJobIsWaitingInTheQueue) {
  EngineOptions options;
  options.queue_timeout_ns = 10 * kNsPerSecond;
  CachedEngine engine(Folder(), options);
  const auto first = engine.Submit("hang");
  engine.begun.acquire();
  const auto second = engine.Submit("hang");
  engine.Await(1, 1);
  EXPECT_TRUE(engine.engine().SetPriority(second->id, Priority::kHigh).value());
  engine.Advance(11 * kNsPerSecond);
  EXPECT_EQ(engine.EndOf(second), JobState::kFailed);
  EXPECT_EQ(second->status.code(), StatusCode::kQueueTimeout);
  engine.LetGo();
  EXPECT_EQ(engine.EndOf(first), JobState::kDone);
}

TEST_F(EngineCacheTest, WhileTheFirstWaitsForItsRetryTheNextOneRuns) {
  CachedEngine engine(Folder());
  engine.Script("image", {kBusy});
  const auto first = engine.Submit("image");
  engine.Await(0, 0);
  EXPECT_EQ(engine.engine().Stats().retrying, 1u);
  const auto second = engine.Submit("image");
  EXPECT_EQ(engine.EndOf(second), JobState::kDone);
  EXPECT_FALSE(second->is_from_cache);
  engine.Advance(10 * kNsPerSecond);
  EXPECT_EQ(engine.EndOf(first), JobState::kDone);
  EXPECT_TRUE(first->is_from_cache) << "its second attempt finds what the other has stored";
  EXPECT_EQ(engine.runs("image"), 2);
}

TEST_F(EngineCacheTest, OfJobsThatWaitForMemoryOneTriesAndTheOthersWaitForIt) {
  CachedEngine engine(Folder());
  const auto holder = engine.Submit("hold large");
  engine.begun.acquire();
  const auto first = engine.Submit("large");
  engine.Await(1, 1);
  const auto second = engine.Submit("large");
  engine.Await(2, 1);
  EXPECT_TRUE(engine.engine().Cancel(first));
  EXPECT_EQ(first->state.load(), JobState::kCancelled);
  const auto third = engine.Submit("large");
  engine.Await(2, 1);
  EXPECT_EQ(engine.runs("large"), 0);
  engine.LetGo();
  EXPECT_EQ(engine.EndOf(holder), JobState::kDone);
  EXPECT_EQ(engine.EndOf(second), JobState::kDone);
  EXPECT_EQ(engine.EndOf(third), JobState::kDone);
  EXPECT_EQ(engine.runs("large"), 1);
}

TEST_F(EngineCacheTest, AnAnswerNeedsTheMemoryOfItsOutputOnly) {
  CachedEngine engine(Folder());
  EXPECT_EQ(engine.EndOf(engine.Submit("large")), JobState::kDone);
  const auto holder = engine.Submit("hold large");
  engine.begun.acquire();
  const auto job = engine.Submit("large");  // 40 MiB of which 24 are free.
  EXPECT_EQ(engine.EndOf(job), JobState::kDone);
  EXPECT_TRUE(job->is_from_cache);
  EXPECT_LE(job->result.estimated_memory_bytes, 1u << 20);
  EXPECT_EQ(holder->state.load(), JobState::kRunning);
  engine.LetGo();
}

TEST_F(EngineCacheTest, IfTheFirstIsStuckTheOthersGoOnWithoutIt) {
  EngineOptions options;
  options.task_timeout_ns = kNsPerSecond;
  options.stuck_grace_ns = kNsPerSecond;
  CachedEngine engine(Folder(), options);
  const auto first = engine.Submit("hang");
  engine.begun.acquire();
  const auto second = engine.Submit("hang");
  engine.Await(1, 1);
  engine.Advance(3 * kNsPerSecond);
  EXPECT_EQ(engine.EndOf(first), JobState::kFailed);
  EXPECT_EQ(first->status.code(), StatusCode::kTaskTimeout);
  engine.begun.acquire();  // The second one runs.
  engine.LetGo();
  EXPECT_EQ(engine.EndOf(second), JobState::kDone);
  EXPECT_EQ(engine.runs("hang"), 2);
  // The engine's end would not wait for the worker that was given up, and it uses the test's parts.
  while (engine.Events(EventType::kTaskReleased).empty()) std::this_thread::yield();
}

TEST_F(EngineCacheTest, AFailingDiskFailsNoJobAndIsToldOnce) {
  CachedEngine engine(Folder());
  fs::remove_all(Folder());
  Write(Folder(), "in the way");
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(engine.Submit("image"));
  for (const auto& job : jobs) {
    EXPECT_EQ(engine.EndOf(job), JobState::kDone);
    EXPECT_FALSE(job->is_from_cache);
  }
  EXPECT_EQ(engine.runs("image"), 10);
  EXPECT_EQ(engine.Events(EventType::kCacheFailed).size(), 1u);
  EXPECT_EQ(Number(engine.Metrics(), "cache.failures"), 10);
  EXPECT_EQ(Number(engine.Metrics(), "cache.errno"), ENOTDIR);
}

TEST_F(EngineCacheTest, TheEndOfTheEngineLeavesNobodyWaiting) {
  for (const bool running_too : {false, true}) {
    CachedEngine engine(Folder());
    std::vector<std::shared_ptr<Job>> jobs;
    const std::string image = running_too ? "hold all" : "hold first";
    for (int i = 0; i < 10; ++i) jobs.push_back(engine.Submit(image));
    engine.Await(9, 1);
    engine.engine().CloseIntake();
    engine.engine().CancelAll(running_too);
    if (!running_too) engine.LetGo();
    EXPECT_TRUE(engine.engine().WaitIdle(20 * kNsPerSecond));
    int done = 0;
    for (const auto& job : jobs) {
      done += job->state.load() == JobState::kDone;
      EXPECT_GE(job->state.load(), JobState::kDone);
    }
    EXPECT_EQ(done, running_too ? 0 : 1) << "the one that ran";
  }
}

TEST_F(EngineCacheTest, AnEngineThatIsDestroyedCancelsWhoeverWaits) {
  CachedEngine engine(Folder());
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(engine.Submit("hold"));
  engine.Await(9, 1);
  engine.EndEngine();
  for (const auto& job : jobs) EXPECT_EQ(job->state.load(), JobState::kCancelled);
}

// Submissions of few images from several threads, with cancels, failures and retries at random:
// every job ends, and every answer is right.
TEST_F(EngineCacheTest, EveryJobEndsWhateverHappensToItsTwins) {
  EngineOptions options;
  options.max_workers = 4;
  CachedEngine engine(Folder(), options);
  for (int i = 0; i < 6; ++i) {
    const std::string image = "image " + std::to_string(i);
    engine.Script(image, {kBusy, kRefused, Status(), kBusy});
  }
  std::atomic<bool> is_over{false};
  std::thread clock([&] {
    while (!is_over.load()) engine.Advance(kNsPerSecond);
  });
  std::mutex mutex;
  std::vector<std::shared_ptr<Job>> jobs;
  std::vector<std::thread> submitters;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    submitters.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 300; ++i) {
        const std::lock_guard lock(mutex);
        jobs.push_back(engine.Submit("image " + std::to_string(random() % 6) +
                                     (random() % 8 == 0 ? " large" : "")));
        if (random() % 3 == 0) engine.engine().Cancel(jobs[random() % jobs.size()]);
        std::error_code ignored;  // The engine stores there at the same time.
        if (random() % 50 == 0) fs::remove_all(Folder(), ignored);
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_TRUE(engine.engine().WaitIdle(60 * kNsPerSecond));
  is_over.store(true);
  clock.join();
  for (const auto& job : jobs) {
    ASSERT_GE(job->state.load(), JobState::kDone);
    if (job->state.load() != JobState::kDone) continue;
    const Bytes image = job->spec.source.bytes;
    EXPECT_EQ(OutputOf(*job), std::string(image.begin(), image.end()));
  }
  EXPECT_EQ(engine.engine().Stats().queued, 0u);
}

}  // namespace
}  // namespace pixpress
