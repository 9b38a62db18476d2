#include <gtest/gtest.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <list>

#include "scripted_engine.h"

namespace pixpress {
namespace {

EngineOptions OneWorker() {
  EngineOptions options;
  options.max_workers = 1;
  return options;
}

EngineOptions OneWorkerStuckAfter15Seconds() {
  EngineOptions options = OneWorker();
  options.task_timeout_ns = 10 * kNsPerSecond;
  options.stuck_grace_ns = 5 * kNsPerSecond;
  return options;
}

double Number(const NamedNumbers& numbers, const std::string& name) {
  for (const auto& [key, value] : numbers) {
    if (key == name) return value;
  }
  ADD_FAILURE() << name << " is missing";
  return 0;
}

TEST(Deadline, AJobThatWaitsTooLongExpiresWhileItWaits) {
  EngineOptions options = OneWorker();
  options.queue_timeout_ns = 5 * kNsPerSecond;
  ScriptedEngine scripted(options);
  const auto blocker = scripted.Submit("hang");
  scripted.hangs.acquire();
  const auto late = scripted.Submit("late");
  scripted.Advance(5 * kNsPerSecond - 1);
  EXPECT_EQ(late->state.load(), JobState::kQueued);
  scripted.Advance(1);
  EXPECT_EQ(late->state.load(), JobState::kFailed);
  EXPECT_EQ(late->status.code(), StatusCode::kQueueTimeout);
  EXPECT_EQ(blocker->state.load(), JobState::kRunning);
  EXPECT_EQ(scripted.engine().Stats().queued, 0u);
}

TEST(Deadline, DelaysOfRetriesDoNotCountAsWaiting) {
  EngineOptions options = OneWorker();
  options.queue_timeout_ns = 5 * kNsPerSecond;
  options.retry_delay_ns = 30 * kNsPerSecond;
  ScriptedEngine scripted(options);
  scripted.Script("a", {Status(StatusCode::kInput, "again", EAGAIN), Status()});
  const auto job = scripted.Submit("a");
  scripted.WaitFor(EventType::kTaskRetry);
  scripted.Advance(30 * kNsPerSecond);
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  EXPECT_EQ(job->state.load(), JobState::kDone) << job->status.message();
}

TEST(Deadline, TaskTimeoutCountsTheRunOfOneAttempt) {
  EngineOptions options = OneWorker();
  options.task_timeout_ns = 10 * kNsPerSecond;
  ScriptedEngine scripted(options);
  const auto job = scripted.Submit("wait");
  scripted.hangs.acquire();
  scripted.clock.Advance(10 * kNsPerSecond);
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  EXPECT_EQ(job->status.code(), StatusCode::kTaskTimeout);
}

TEST(Deadline, AStuckWorkerIsReportedReplacedAndHoldsUpNothing) {
  ScriptedEngine scripted(OneWorkerStuckAfter15Seconds());
  const auto stuck = scripted.Submit("hang");
  scripted.hangs.acquire();
  const auto next = scripted.Submit("next");
  scripted.Advance(15 * kNsPerSecond - 1);
  EXPECT_EQ(stuck->state.load(), JobState::kRunning);
  scripted.Advance(1);
  EXPECT_EQ(stuck->state.load(), JobState::kFailed);
  EXPECT_EQ(stuck->status.code(), StatusCode::kTaskTimeout);
  EXPECT_EQ(scripted.WaitFor(EventType::kWorkerStuck).job, stuck);
  EXPECT_TRUE(scripted.engine().WaitJob(*next, -1));
  EXPECT_EQ(next->state.load(), JobState::kDone);
  EXPECT_EQ(scripted.engine().Stats().stuck_workers, 1u);
  EXPECT_TRUE(scripted.engine().WaitIdle(0));
  scripted.LetGo();
  EXPECT_EQ(scripted.WaitFor(EventType::kTaskReleased).job, stuck);
  while (scripted.engine().Stats().stuck_workers > 0) std::this_thread::yield();
  EXPECT_EQ(stuck->state.load(), JobState::kFailed);
}

// The cancel that was too late for its write is in time again, but its end has been told.
TEST(Deadline, AnAbandonedJobIsReleasedWhenItsWorkerFindsTheJournalFull) {
  ScriptedEngine scripted(OneWorkerStuckAfter15Seconds());
  const auto stuck = scripted.Submit("refused");
  scripted.hangs.acquire();
  scripted.Advance(15 * kNsPerSecond);
  EXPECT_TRUE(scripted.engine().WaitJob(*stuck, -1));
  EXPECT_TRUE(stuck->is_abandoned);
  scripted.LetGo();
  while (scripted.engine().Stats().stuck_workers > 0) std::this_thread::yield();
  const std::vector<Event> events = scripted.Events();
  EXPECT_EQ(std::ranges::count(events, EventType::kTaskReleased, &Event::type), 1);
  EXPECT_EQ(std::ranges::count(events, EventType::kTaskEnded, &Event::type), 1);
  EXPECT_EQ(stuck->status.code(), StatusCode::kTaskTimeout);
  EXPECT_EQ(scripted.engine().Stats().queued, 0u);
}

TEST(Deadline, AnIdleEngineGivesBackWhatResultsHeldPastTheThreshold) {
  ScriptedEngine scripted(OneWorker());
  const auto job = scripted.Submit("a");
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  const auto hold = [&](size_t size_bytes) {
    EXPECT_TRUE(job->buffers->Allocate(size_bytes).ok());  // As a result does, until it is read.
    EXPECT_GE(scripted.engine().Stats().retained_bytes, size_bytes);
    scripted.Advance(kNsPerSecond);
    return scripted.engine().Stats().retained_bytes;
  };
  EXPECT_GE(hold(8u << 20), 8u << 20) << "of 64 MiB are worth keeping";
  EXPECT_EQ(hold(60u << 20), 0u);
}

// What is allocated in its life, and what that holds, may be left behind: LeakSanitizer does not
// count it.
class LeakAllowed {
 public:
#if defined(__SANITIZE_ADDRESS__)
  LeakAllowed() { __lsan_disable(); }
  ~LeakAllowed() { __lsan_enable(); }
#else
  ~LeakAllowed() {}
#endif
};

TEST(Deadline, TheEndOfTheEngineWaitsForStuckWorkersOnlyForTheGrace) {
  const LeakAllowed engine_of_a_stuck_worker;
  EngineOptions options = OneWorker();
  options.shutdown_grace_ns = kNsPerMs;
  // Never destroyed, as a thread that hangs would keep it in use.
  static auto& kept = *new std::list<ScriptedEngine>;
  ScriptedEngine& scripted = kept.emplace_back(options);
  const auto stuck = scripted.Submit("hang");
  scripted.hangs.acquire();
  scripted.EndEngine();
  EXPECT_EQ(stuck->state.load(), JobState::kCancelled);
  scripted.LetGo();
}

TEST(Deadline, LookUpTellsEverythingAboutAJobUntilItEnds) {
  ScriptedEngine scripted(OneWorker());
  const auto running = scripted.Submit("hang");
  scripted.hangs.acquire();
  scripted.clock.Advance(kNsPerSecond);
  const auto queued = scripted.Submit("queued", Priority::kHigh);
  Engine& engine = scripted.engine();
  EXPECT_EQ(engine.Find(running->id), running);
  EXPECT_EQ(engine.Find(queued->id), queued);
  EXPECT_EQ(engine.Find(99), nullptr);
  const NamedNumbers numbers = engine.Describe(*queued);
  EXPECT_EQ(Number(numbers, "state"), 0);
  EXPECT_EQ(Number(numbers, "priority"), 2);
  EXPECT_EQ(Number(numbers, "retries"), 0);
  EXPECT_EQ(Number(numbers, "max_retries"), 3);
  EXPECT_EQ(Number(numbers, "submitted"), Number(numbers, "now"));
  EXPECT_EQ(Number(engine.Describe(*running), "state"), 1);
  EXPECT_EQ(Number(engine.Describe(*running), "worker_id"), 0);
  scripted.LetGo();
  EXPECT_TRUE(engine.WaitIdle(-1));
  EXPECT_EQ(engine.Find(queued->id), nullptr);
}

TEST(Deadline, PrioritiesAndGroupsDecideTheOrder) {
  ScriptedEngine scripted(OneWorker());
  scripted.Submit("hang");
  scripted.hangs.acquire();
  scripted.Submit("b2", Priority::kNormal, 1, 2);
  scripted.Submit("b1", Priority::kNormal, 1, 1);
  scripted.Submit("b2 too", Priority::kNormal, 1, 2);
  const auto raised = scripted.Submit("raised", Priority::kLow);
  EXPECT_TRUE(scripted.engine().SetPriority(raised->id, Priority::kCritical).value());
  scripted.LetGo();
  EXPECT_TRUE(scripted.engine().WaitIdle(-1));
  EXPECT_EQ(scripted.order(), (std::vector<std::string>{"hang", "raised", "b1", "b2", "b2 too"}));
  EXPECT_FALSE(scripted.engine().SetPriority(raised->id, Priority::kLow).value());
}

TEST(Deadline, ACorruptFileIsBlacklistedUntilItChanges) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("pixpress_bad_" + std::to_string(getpid())))
          .string();
  std::ofstream(path) << "bad";
  ScriptedEngine scripted(OneWorker());
  Engine& engine = scripted.engine();
  scripted.Script(path, {Status(StatusCode::kCorruptImage, "damaged")});
  EXPECT_TRUE(engine.WaitJob(*scripted.Submit(path), -1));
  const auto again = scripted.Submit(path);
  EXPECT_TRUE(engine.WaitJob(*again, -1));
  EXPECT_EQ(again->status.code(), StatusCode::kBlacklisted);
  EXPECT_NE(again->status.message().find("damaged"), std::string::npos);
  EXPECT_EQ(scripted.order().size(), 1u);
  ASSERT_EQ(engine.Blacklisted().size(), 1u);
  EXPECT_EQ(engine.Blacklisted()[0].name, path);
  std::ofstream(path) << "repaired";
  scripted.Script(path, {Status()});
  const auto repaired = scripted.Submit(path);
  EXPECT_TRUE(engine.WaitJob(*repaired, -1));
  EXPECT_EQ(repaired->state.load(), JobState::kDone);
  EXPECT_EQ(engine.ClearBlacklist("other").value(), 0u);
  EXPECT_EQ(engine.ClearBlacklist("").value(), 1u);
  std::filesystem::remove(path);
}

TEST(Deadline, ProgressRisesAndEndsAtAHundredWhenWanted) {
  ScriptedEngine scripted(OneWorker());
  scripted.engine().WantProgress(true);
  const auto job = scripted.Submit("a");
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  float last = 0.0f;
  bool has_ended = false;
  for (const Event& event : scripted.Events()) {
    has_ended |= event.type == EventType::kTaskEnded;
    if (event.type != EventType::kTaskProgress) continue;
    EXPECT_FALSE(has_ended);
    EXPECT_GE(event.fraction, last);
    last = event.fraction;
  }
  EXPECT_EQ(last, 1.0f);
  EXPECT_TRUE(has_ended);
}

TEST(Deadline, NewOptionsTakeEffectWhileJobsRun) {
  ScriptedEngine scripted(OneWorker());
  const auto blocker = scripted.Submit("hang");
  scripted.hangs.acquire();
  const auto other = scripted.Submit("other");
  EngineOptions options = scripted.engine().options();
  options.max_workers = 2;
  options.memory_limit_bytes = 128u << 20;
  scripted.engine().Update(options);
  EXPECT_TRUE(scripted.engine().WaitJob(*other, -1));
  EXPECT_EQ(scripted.engine().Stats().memory_limit_bytes, 128u << 20);
  EXPECT_EQ(blocker->state.load(), JobState::kRunning);
}

}  // namespace
}  // namespace pixpress
