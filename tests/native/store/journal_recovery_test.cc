#include "store/journal_recovery.h"

#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <limits>
#include <thread>

#include "store/journal.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

class JournalRecoveryTest : public FolderTest {
 protected:
  JournalJob Job(uint64_t id) const {
    JournalJob job;
    job.id = id;
    job.source_path = "in/" + std::to_string(id) + ".jpg";
    job.output_path = std::to_string(id) + ".webp";
    job.output_root = folder_.string();
    return job;
  }
  static JournalOutput OutputOf(uint64_t id, const std::string& text) {
    return {
        .path = std::to_string(id) + ".webp", .size_bytes = text.size(), .hash = Sha256::Of(text)};
  }
  std::unique_ptr<Journal> Open(bool durable = false) const {
    auto journal = Journal::Open(Path("queue.db"), {.durable = durable});
    EXPECT_TRUE(journal.ok()) << journal.status().message();
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  // Do `work` with the journal in a process that is killed right after.
  void InKilledProcess(const std::function<bool(Journal&)>& work) const {
    ASSERT_EQ(WaitFor(Fork([&] {
                auto journal = Journal::Open(Path("queue.db"), {.durable = false});
                if (!journal.ok() || !work(*journal.value())) return 1;
                return raise(SIGKILL);
              })),
              -SIGKILL);
  }
  static JournalRow RowOf(Journal& journal, uint64_t id) {
    auto rows = journal.Rows(JournalRows::kAll, id - 1, 1);
    EXPECT_TRUE(rows.ok() && rows.value().size() == 1 && rows.value()[0].job.id == id);
    return rows.value()[0];
  }
};

TEST_F(JournalRecoveryTest, AnOutputThatIsCompleteIsDoneAndOthersAreDoneAgain) {
  InKilledProcess([&](Journal& journal) {
    Write(Path("1.webp"), "complete");
    Write(Path("2.webp"), "half");
    Write(Path("3.webp"), "other!!!");
    for (uint64_t id = 1; id <= 4; ++id) {
      const JournalRecord records[] = {Job(id), JournalChange::Started(id, 1),
                                       JournalChange::Writing(id, OutputOf(id, "complete"))};
      if (!journal.Append(records).ok()) return false;
    }
    return journal.Append(Job(5)).ok();
  });
  for (const bool durable : {true, false}) {
    const auto journal = Open(durable);
    EXPECT_EQ(journal->recovery().completed, durable ? 1u : 0u) << "the second time all is settled";
    EXPECT_EQ(journal->recovery().requeued, durable ? 3u : 0u);
    EXPECT_EQ(journal->recovery().suspects, 0u) << "decoding was over";
    EXPECT_EQ(RowOf(*journal, 1).state, JournalState::kDone);
    EXPECT_EQ(RowOf(*journal, 1).output->size_bytes, 8u);
    const auto left = journal->Rows(JournalRows::kUnfinished, 0, kNoLimit).value();
    ASSERT_EQ(left.size(), 4u);
    for (const JournalRow& row : left) EXPECT_EQ(row.state, JournalState::kQueued);
  }
}

TEST_F(JournalRecoveryTest, AnEmptyOutputIsRecognizedToo) {
  InKilledProcess([&](Journal& journal) {
    Write(Path("1.webp"), "");
    const JournalRecord records[] = {Job(1), JournalChange::Started(1, 1),
                                     JournalChange::Writing(1, OutputOf(1, ""))};
    return journal.Append(records).ok();
  });
  EXPECT_EQ(Open()->recovery().completed, 1u);
}

TEST_F(JournalRecoveryTest, EachDeathChargesWhatRanAndNothingElse) {
  for (uint32_t deaths = 1; deaths <= 3; ++deaths) {
    InKilledProcess([&](Journal& journal) {
      if (deaths == 1 && !(journal.Append(Job(1)).ok() && journal.Append(Job(2)).ok()))
        return false;
      return journal.Append(JournalChange::Started(1, deaths)).ok();
    });
    const auto journal = Open();
    EXPECT_EQ(journal->recovery().suspects, 1u);
    EXPECT_EQ(RowOf(*journal, 1).crashes, deaths);
    EXPECT_EQ(RowOf(*journal, 1).state, JournalState::kQueued);
    EXPECT_EQ(RowOf(*journal, 2).crashes, 0u);
  }
  EXPECT_EQ(Open()->recovery().suspects, 0u) << "charged once";
}

TEST_F(JournalRecoveryTest, APoolThatEndedByItselfLeavesNoSuspects) {
  {
    const auto journal = Open();
    const JournalRecord records[] = {Job(1), JournalChange::Started(1, 1)};
    ASSERT_TRUE(journal->Append(records).ok());
  }
  const auto journal = Open();  // The process that started it lives.
  EXPECT_EQ(journal->recovery().requeued, 1u);
  EXPECT_EQ(journal->recovery().suspects, 0u);
  EXPECT_EQ(RowOf(*journal, 1).crashes, 0u);
}

TEST_F(JournalRecoveryTest, TemporaryFilesOfTheDeadAreRemovedAndOthersStay) {
  InKilledProcess([&](Journal& journal) {
    const std::string mine = std::to_string(getpid());
    Write(Path(".1.webp." + mine + "-1-abc.tmp"), "half");
    Write(Path(".1.webp." + mine + "-2-abc.tmp"), "of another job");
    Write(Path(".1.webp.1-1-abc.tmp"), "of another process");
    JournalJob job = Job(1);
    job.output_path = "1.*";  // The name is known once there is an output.
    const JournalRecord records[] = {job, JournalChange::Started(1, 1),
                                     JournalChange::Writing(1, OutputOf(1, "complete"))};
    return journal.Append(records).ok();
  });
  EXPECT_EQ(Open()->recovery().removed_temporaries, 1u);
  EXPECT_EQ(CountOf(".tmp"), 2u);
}

TEST_F(JournalRecoveryTest, AProcessIsKnownByMoreThanItsPid) {
  EXPECT_TRUE(IsRunning(ThisProcess()));
  ProcessIdentity reused = ThisProcess();
  ++reused.start_ticks;
  EXPECT_FALSE(IsRunning(reused));
  ProcessIdentity rebooted = ThisProcess();
  rebooted.boot_id = "another";
  EXPECT_FALSE(IsRunning(rebooted));
  EXPECT_FALSE(IsOfThisBoot(rebooted));
  ProcessIdentity child;
  const pid_t pid = Fork([] { return 0; });
  child = ThisProcess();
  child.pid = pid;
  WaitFor(pid);
  EXPECT_FALSE(IsRunning(child));
}

// Four threads submit and end jobs until the process is killed.
int AppendUntilKilled(const std::string& path, bool durable, uint64_t first_id,
                      std::atomic<uint64_t>* acknowledged, std::atomic<uint64_t>* done) {
  auto opened = Journal::Open(path, {.durable = durable});
  if (!opened.ok()) return 1;
  Journal& journal = *opened.value();
  std::vector<std::thread> threads;
  std::atomic<uint64_t> next{first_id};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (true) {
        const uint64_t id = next++;
        JournalJob job;
        job.id = id;
        job.settings = std::string(id % 3000, 's');
        if (!journal.Append(job).ok()) _exit(2);
        acknowledged[id].store(1);
        if (id % 2 == 0) continue;
        if (!journal.Append(JournalChange::Done(id)).ok()) _exit(3);
        done[id].store(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

TEST_F(JournalRecoveryTest, KilledAtAnyMomentItHasAllThatWasAcknowledged) {
  constexpr size_t kMost = 1 << 20;
  using Flag = std::atomic<uint64_t>;
  void* shared = mmap(nullptr, 2 * kMost * sizeof(Flag), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Flag* const acknowledged = static_cast<Flag*>(shared);
  Flag* const done = acknowledged + kMost;
  uint64_t first_id = 1, seen = 0;
  for (int round = 0; round < 20; ++round) {
    const pid_t child = Fork([&] {
      return AppendUntilKilled(Path("queue.db"), round % 2 == 0, first_id, acknowledged, done);
    });
    // Not by a clock: at another count in each round, and then wherever the threads are.
    const uint64_t until = first_id + 37 * static_cast<uint64_t>(round);
    while (acknowledged[until] == 0 && waitpid(child, nullptr, WNOHANG) == 0) sched_yield();
    kill(child, SIGKILL);
    ASSERT_EQ(WaitFor(child), -SIGKILL);
    const auto journal = Open();
    ASSERT_NE(journal, nullptr);
    EXPECT_TRUE(journal->notices().empty());
    std::vector<JournalState> states(kMost, JournalState::kFailed);
    const auto rows = journal->Rows(JournalRows::kAll, 0, kNoLimit);
    ASSERT_TRUE(rows.ok());
    for (const JournalRow& row : rows.value()) {
      states[row.job.id] = row.state;
      EXPECT_EQ(row.job.settings.size(), row.job.id % 3000);
    }
    uint64_t lost = 0;
    for (size_t id = 1; id < kMost; ++id) {
      lost += acknowledged[id] != 0 && states[id] == JournalState::kFailed;
      lost += done[id] != 0 && states[id] != JournalState::kDone;
      seen += acknowledged[id];
    }
    EXPECT_EQ(lost, 0u) << "in round " << round;
    first_id = journal->NextId().value();
  }
  EXPECT_GT(seen, 20u);
  munmap(shared, 2 * kMost * sizeof(Flag));
}

}  // namespace
}  // namespace pixpress
