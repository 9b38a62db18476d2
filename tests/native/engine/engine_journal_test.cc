#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>

#include "engine/journalled_engine.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

constexpr int64_t kLongNs = 60 * kNsPerSecond;

class EngineJournalTest : public FolderTest {
 protected:
  std::string Queue() const { return Path("queue.db"); }
  static EngineOptions Workers(uint32_t count) {
    EngineOptions options;
    options.max_workers = options.min_workers = count;
    options.task_timeout_ns = 0;
    return options;
  }
  // By the last part of the source's path.
  static std::map<std::string, JournalRow> ByName(JournalledEngine& engine) {
    std::map<std::string, JournalRow> rows;
    for (JournalRow& row : engine.Rows()) {
      const std::string name = row.job.source_path.substr(row.job.source_path.rfind('/') + 1);
      rows.emplace(name, std::move(row));
    }
    return rows;
  }
};

TEST_F(EngineJournalTest, AJobIsInTheJournalWhenSubmitReturnsAndItsEndBeforeAnyoneHearsOfIt) {
  JournalledEngine engine(Workers(1), Queue());
  engine.Script("bad", {Status(StatusCode::kCorruptImage, "half")});
  const auto hang = engine.SubmitKept("wait").value();
  engine.hangs.acquire();
  const auto queued = engine.SubmitKept("good").value();
  auto rows = ByName(engine);
  EXPECT_EQ(rows.at("wait").state, JournalState::kStarted);
  EXPECT_EQ(rows.at("wait").attempt, 1u);
  EXPECT_EQ(rows.at("good").state, JournalState::kQueued);
  EXPECT_EQ(rows.at("good").job.priority, static_cast<int>(Priority::kHigh));
  EXPECT_EQ(rows.at("good").job.settings, "s");
  EXPECT_EQ(rows.at("good").job.batch, "b");
  const auto bad = engine.SubmitKept("bad").value();
  ASSERT_TRUE(engine.engine().Cancel(hang));
  for (const auto& job : {hang, queued, bad}) ASSERT_TRUE(engine.engine().WaitJob(*job, kLongNs));
  rows = ByName(engine);
  EXPECT_EQ(rows.at("wait").state, JournalState::kCancelled);
  EXPECT_EQ(rows.at("good").state, JournalState::kDone);
  EXPECT_EQ(rows.at("bad").state, JournalState::kFailed);
  EXPECT_EQ(rows.at("bad").code, "CORRUPT_IMAGE");
  EXPECT_EQ(rows.at("bad").message, "half");
}

TEST_F(EngineJournalTest, WhatThePoolCancelsAtItsEndStaysForTheNextOneWithoutBlame) {
  {
    JournalledEngine engine(Workers(1), Queue());
    const auto running = engine.SubmitKept("wait").value();
    const auto queued = engine.SubmitKept("queued").value();
    const auto dropped = engine.SubmitKept("dropped").value();
    engine.hangs.acquire();
    ASSERT_TRUE(engine.engine().Cancel(dropped));
    engine.EndEngine();
    EXPECT_EQ(running->state.load(), JobState::kCancelled);
    EXPECT_EQ(queued->state.load(), JobState::kCancelled);
  }
  JournalledEngine engine(Workers(1), Queue());
  const auto rows = ByName(engine);
  EXPECT_EQ(rows.at("wait").state, JournalState::kQueued);
  EXPECT_EQ(rows.at("wait").crashes, 0u);
  EXPECT_EQ(rows.at("queued").state, JournalState::kQueued);
  EXPECT_EQ(rows.at("dropped").state, JournalState::kCancelled);
  EXPECT_GT(engine.SubmitKept("new").value()->id, rows.at("dropped").job.id);
}

TEST_F(EngineJournalTest, RetriesAreKept) {
  {
    JournalledEngine engine(Workers(1), Queue());
    engine.Script("slow", {Status(StatusCode::kInput, "busy", EAGAIN)});
    const auto job = engine.SubmitKept("slow").value();
    engine.WaitFor(EventType::kTaskRetry);
    EXPECT_EQ(ByName(engine).at("slow").state, JournalState::kQueued);
    engine.EndEngine();
  }
  JournalledEngine engine(Workers(1), Queue());
  const JournalRow row = ByName(engine).at("slow");
  EXPECT_EQ(row.retries, 1u);
  EXPECT_EQ(row.attempt, 1u);
  const auto jobs = engine.ResubmitAll();
  ASSERT_TRUE(engine.engine().WaitJob(*jobs[0], kLongNs));
  EXPECT_EQ(jobs[0]->retries, 1u);
  EXPECT_EQ(jobs[0]->attempts, 2u);
  EXPECT_EQ(jobs[0]->key.priority, Priority::kHigh);
}

TEST_F(EngineJournalTest, TheLastPriorityIsKept) {
  {
    JournalledEngine engine(Workers(1), Queue());
    const auto running = engine.SubmitKept("wait").value();
    engine.hangs.acquire();
    const auto lowered = engine.SubmitKept("lowered").value();
    EXPECT_TRUE(engine.engine().SetPriority(lowered->id, Priority::kCritical).value());
    EXPECT_TRUE(engine.engine().SetPriority(lowered->id, Priority::kLow).value());
    EXPECT_FALSE(engine.engine().SetPriority(running->id, Priority::kLow).value());
    EXPECT_EQ(ByName(engine).at("lowered").job.priority, static_cast<int>(Priority::kLow));
    EXPECT_EQ(ByName(engine).at("wait").job.priority, static_cast<int>(Priority::kHigh));
    engine.EndEngine();
  }
  JournalledEngine engine(Workers(1), Queue());
  const auto jobs = engine.ResubmitAll();
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0]->key.priority, Priority::kHigh);
  EXPECT_EQ(jobs[1]->key.priority, Priority::kLow);
  engine.LetGo();
  EXPECT_TRUE(engine.engine().WaitIdle(kLongNs));
  EXPECT_FALSE(engine.engine().SetPriority(jobs[1]->id, Priority::kHigh).value());
  EXPECT_EQ(ByName(engine).at("lowered").job.priority, static_cast<int>(Priority::kLow));
}

TEST_F(EngineJournalTest, AfterTwoCrashesAFileIsBlacklistedAndTheOthersAreDone) {
  Write(Path("die"), "what kills a worker");
  size_t crashes = 0;
  for (int code = 1; code != 0; ++crashes) {
    ASSERT_LE(crashes, 2u);
    code = WaitFor(Fork([&] {
      JournalledEngine engine(Workers(2), Queue());
      if (engine.Rows().empty()) {
        for (const char* name : {"a", "die", "b", "c"}) {
          if (!engine.SubmitKept(Path(name)).ok()) return 2;
        }
      } else {
        engine.ResubmitAll();
      }
      return engine.engine().WaitIdle(kLongNs) ? 0 : 3;
    }));
    if (code != 0) {
      ASSERT_EQ(code, -SIGSEGV);
    }
  }
  EXPECT_EQ(crashes, 3u) << "two crashes, and a run to the end";
  JournalledEngine engine(Workers(1), Queue());
  for (const auto& [name, row] : ByName(engine)) {
    EXPECT_EQ(row.state, name == "die" ? JournalState::kBlacklisted : JournalState::kDone) << name;
  }
  const auto listed = engine.engine().Blacklisted();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].name, Path("die"));
  const auto again = engine.SubmitKept(Path("die")).value();
  ASSERT_TRUE(engine.engine().WaitJob(*again, kLongNs));
  EXPECT_EQ(again->status.code(), StatusCode::kBlacklisted);
  // A repaired file is another one; and the list can be cleared, for the next owner too.
  EXPECT_EQ(engine.engine().ClearBlacklist(Path("die")).value(), 1u);
  engine.EndEngine();
  JournalledEngine next(Workers(1), Queue());
  EXPECT_TRUE(next.engine().Blacklisted().empty());
}

TEST_F(EngineJournalTest, TheSuspectsOfACrashRunAloneAndFirst) {
  ASSERT_EQ(WaitFor(Fork([&] {
              JournalledEngine engine(Workers(2), Queue());
              (void)engine.SubmitKept("other");  // Runs, ends, and is none.
              engine.engine().WaitIdle(kLongNs);
              (void)engine.SubmitKept("wait1");
              (void)engine.SubmitKept("wait2");
              engine.hangs.acquire();
              engine.hangs.acquire();
              (void)engine.SubmitKept("wait3");
              (void)engine.SubmitKept("wait4");
              return raise(SIGKILL);
            })),
            -SIGKILL);
  JournalledEngine engine(Workers(2), Queue());
  EXPECT_EQ(engine.engine().journal()->table().recovery().suspects, 2u);
  const auto jobs = engine.ResubmitAll();
  ASSERT_EQ(jobs.size(), 4u);
  engine.hangs.acquire();
  EXPECT_EQ(engine.engine().Stats().running, 1u);
  EXPECT_EQ(jobs[0]->state.load(), JobState::kRunning);
  ASSERT_TRUE(engine.engine().Cancel(jobs[0]));
  engine.hangs.acquire();
  EXPECT_EQ(jobs[1]->state.load(), JobState::kRunning);
  EXPECT_EQ(engine.order().size(), 2u);
  ASSERT_TRUE(engine.engine().Cancel(jobs[1]));
  engine.hangs.acquire();
  engine.hangs.acquire();  // The others again run as they fit.
  EXPECT_EQ(jobs[2]->state.load(), JobState::kRunning);
  EXPECT_EQ(jobs[3]->state.load(), JobState::kRunning);
  engine.LetGo();
  EXPECT_TRUE(engine.engine().WaitIdle(kLongNs));
}

TEST_F(EngineJournalTest, AHeldJobCanBeCancelledAndReprioritized) {
  ASSERT_EQ(WaitFor(Fork([&] {
              JournalledEngine engine(Workers(1), Queue());
              (void)engine.SubmitKept("wait");
              engine.hangs.acquire();
              (void)engine.SubmitKept("held1");
              (void)engine.SubmitKept("held2");
              return raise(SIGKILL);
            })),
            -SIGKILL);
  JournalledEngine engine(Workers(2), Queue());
  const auto jobs = engine.ResubmitAll();
  EXPECT_TRUE(engine.engine().SetPriority(jobs[1]->id, Priority::kLow).value());
  EXPECT_TRUE(engine.engine().Cancel(jobs[2]));
  ASSERT_TRUE(engine.engine().WaitJob(*jobs[2], kLongNs));
  EXPECT_EQ(jobs[2]->state.load(), JobState::kCancelled);
  engine.LetGo();
  EXPECT_TRUE(engine.engine().WaitIdle(kLongNs));
  EXPECT_EQ(jobs[1]->state.load(), JobState::kDone);
}

TEST_F(EngineJournalTest, AFullDiskPausesTheQueueAndNothingIsLost) {
  if (mount("none", folder_.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "needs the right to mount a small tmpfs";
  }
  {
    JournalledEngine engine(Workers(2), Queue());
    const auto first = engine.SubmitKept("wait").value();
    engine.hangs.acquire();
    std::vector<std::shared_ptr<Job>> queued;
    for (int i = 0; i < 8; ++i)
      queued.push_back(engine.SubmitKept("wait" + std::to_string(i)).value());
    engine.hangs.acquire();
    std::ofstream(Path("fill"), std::ios::binary) << std::string(2 << 20, 'x');
    // Committed pages of the log are used again; new ones are needed sooner or later.
    Result<std::shared_ptr<Job>> refused = Status(StatusCode::kInternal, "none");
    do refused = engine.SubmitKept("more" + std::to_string(queued.size()));
    while (refused.ok() && (queued.push_back(refused.value()), queued.size() < 10'000));
    EXPECT_EQ(refused.status().code(), StatusCode::kJournal);
    EXPECT_EQ(refused.status().sys_errno(), ENOSPC);
    EXPECT_EQ(engine.engine().Stats().queued, queued.size() - 1) << "the refused one is not queued";
    EXPECT_EQ(engine.engine().Stats().journal_errno, ENOSPC);
    ASSERT_TRUE(engine.engine().Cancel(first));
    ASSERT_TRUE(engine.engine().WaitJob(*first, kLongNs));
    EXPECT_EQ(engine.order().size(), 2u) << "no job starts that cannot be recorded";
    std::filesystem::remove(Path("fill"));
    engine.LetGo();
    while (!engine.engine().WaitIdle(0)) {
      engine.Advance(kNsPerSecond);
      std::this_thread::yield();
    }
    EXPECT_EQ(engine.engine().Stats().journal_errno, 0);
    const auto rows = engine.Rows();
    EXPECT_EQ(rows.size(), queued.size() + 1);
    EXPECT_TRUE(std::ranges::all_of(rows, [](const auto& row) { return IsFinal(row.state); }));
    EXPECT_EQ(rows[0].state, JournalState::kCancelled) << "what the disk did not take came later";
  }
  EXPECT_EQ(umount(folder_.c_str()), 0);
}

TEST_F(EngineJournalTest, UnfinishedJobsAreRefusedUnlessTheyAreTakenOver) {
  {
    JournalledEngine engine(Workers(1), Queue());
    (void)engine.SubmitKept("wait");
    engine.hangs.acquire();
    auto second = Engine::Create({}, {.path = Queue(), .takes_over = true});
    EXPECT_EQ(second.status().code(), StatusCode::kJournal);
    EXPECT_NE(second.status().message().find(std::to_string(getpid())), std::string::npos);
    engine.EndEngine();  // Before what runs is let go, and done.
  }
  auto refused = Engine::Create({}, {.path = Queue()});
  EXPECT_EQ(refused.status().code(), StatusCode::kJournalNotEmpty);
  EXPECT_TRUE(Engine::Create({}, {.path = Queue(), .takes_over = true}).ok());
}

}  // namespace
}  // namespace pixpress
