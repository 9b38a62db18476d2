#include "store/journal.h"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <thread>

#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

JournalJob Job(uint64_t id) {
  JournalJob job;
  job.id = id;
  job.source_path = "in/" + std::to_string(id) + ".jpg";
  job.source = {.device = 1, .inode = id, .size_bytes = 1000 + id, .mtime_ns = -5, .mode = 0};
  job.output_path = std::to_string(id) + ".webp";
  job.output_root = "/out";
  job.settings = R"({"quality": 80})";
  job.priority = 2;
  job.batch = "july";
  job.created_unix_ns = 123;
  return job;
}

class JournalTest : public FolderTest {
 protected:
  std::unique_ptr<Journal> Open(bool durable = false) {
    auto journal = Journal::Open(Path("queue.db"), {.durable = durable});
    EXPECT_TRUE(journal.ok()) << journal.status().message();
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  static JournalRow RowOf(Journal& journal, uint64_t id) {
    auto rows = journal.Rows(JournalRows::kAll, id - 1, 1);
    EXPECT_TRUE(rows.ok() && rows.value().size() == 1 && rows.value()[0].job.id == id);
    return rows.value()[0];
  }
};

TEST_F(JournalTest, KeepsEveryFieldOfAJobAcrossOpenings) {
  JournalJob job = Job(7);
  job.source_path = std::string("\xff\xfe\0x", 4);  // Paths are bytes.
  job.source.inode = std::numeric_limits<uint64_t>::max();
  ASSERT_TRUE(Open()->Append(job).ok());
  const auto journal = Open();
  const JournalRow row = RowOf(*journal, 7);
  EXPECT_EQ(row.job.source_path, job.source_path);
  EXPECT_EQ(row.job.source, job.source);
  EXPECT_EQ(row.job.output_path, job.output_path);
  EXPECT_EQ(row.job.output_root, job.output_root);
  EXPECT_EQ(row.job.settings, job.settings);
  EXPECT_EQ(row.job.priority, 2);
  EXPECT_EQ(row.job.batch, "july");
  EXPECT_EQ(row.job.created_unix_ns, 123);
  EXPECT_EQ(row.state, JournalState::kQueued);
  EXPECT_EQ(row.attempt, 0u);
  EXPECT_FALSE(row.output.has_value());
  EXPECT_EQ(journal->NextId().value(), 8u);
  EXPECT_TRUE(journal->notices().empty());
}

TEST_F(JournalTest, AJobGoesThroughItsStates) {
  const auto journal = Open();
  ASSERT_TRUE(journal->Append(Job(1)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Started(1, 1)).ok());
  JournalRow row = RowOf(*journal, 1);
  EXPECT_EQ(row.state, JournalState::kStarted);
  EXPECT_EQ(row.owner, ThisProcess());
  ASSERT_TRUE(journal->Append(JournalChange::Queued(1, 1)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Started(1, 2)).ok());
  const JournalOutput output = {.path = "1.webp", .size_bytes = 3, .hash = Sha256::Of("abc")};
  ASSERT_TRUE(journal->Append(JournalChange::Writing(1, output)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Done(1)).ok());
  row = RowOf(*journal, 1);
  EXPECT_EQ(row.state, JournalState::kDone);
  EXPECT_EQ(row.attempt, 2u);
  EXPECT_EQ(row.owner, ThisProcess());
  ASSERT_TRUE(row.output.has_value());
  EXPECT_EQ(row.output->path, "1.webp");
  EXPECT_EQ(row.output->size_bytes, 3u);
  EXPECT_EQ(row.output->hash, Sha256::Of("abc"));
  EXPECT_GT(row.changed_unix_ns, 1'600'000'000'000'000'000);
}

TEST_F(JournalTest, OfTwoFinalStatesTheFirstStands) {
  const auto journal = Open();
  using Make = JournalChange (*)(uint64_t);
  const Make finals[] = {
      [](uint64_t id) { return JournalChange::Done(id); },
      [](uint64_t id) { return JournalChange::Failed(id, "CORRUPT_IMAGE", "bad"); },
      [](uint64_t id) { return JournalChange::Cancelled(id); },
      [](uint64_t id) { return JournalChange::Blacklisted(id, "CRASH", "twice"); }};
  uint64_t id = 0;
  for (const Make first : finals) {
    ASSERT_TRUE(journal->Append(Job(++id)).ok());
    ASSERT_TRUE(journal->Append(first(id)).ok());
    for (const Make second : finals) {
      EXPECT_EQ(journal->Append(second(id)).code(), StatusCode::kJournal);
    }
    EXPECT_FALSE(journal->Append(JournalChange::Queued(id, 1)).ok());
    EXPECT_EQ(RowOf(*journal, id).state, first(id).state);
  }
  EXPECT_EQ(RowOf(*journal, 2).code, "CORRUPT_IMAGE");
  EXPECT_EQ(RowOf(*journal, 2).message, "bad");
  EXPECT_FALSE(journal->Append(JournalChange::Started(99, 1)).ok()) << "no such job";
}

TEST_F(JournalTest, AnAppendIsRecordedWhollyOrNotAtAll) {
  const auto journal = Open();
  ASSERT_TRUE(journal->Append(Job(2)).ok());
  const JournalRecord records[] = {Job(1), JournalChange::Started(1, 1), Job(2), Job(3)};
  const Status status = journal->Append(records);
  EXPECT_EQ(status.code(), StatusCode::kJournal);
  EXPECT_NE(status.message().find("job 2 exists"), std::string::npos) << status.message();
  EXPECT_EQ(journal->Rows(JournalRows::kAll, 0, kNoLimit).value().size(), 1u);
  EXPECT_FALSE(journal->Append(Job(0)).ok());
  EXPECT_FALSE(journal->Append(Job(std::numeric_limits<uint64_t>::max())).ok());
  EXPECT_TRUE(journal->Append(std::span<const JournalRecord>()).ok());
}

TEST_F(JournalTest, PagesRowsInOrderAndCountsThem) {
  const auto journal = Open();
  std::vector<JournalRecord> records;
  for (uint64_t id = 20; id >= 1; --id) records.push_back(Job(id));
  ASSERT_TRUE(journal->Append(records).ok());
  for (uint64_t id = 1; id <= 5; ++id) ASSERT_TRUE(journal->Append(JournalChange::Done(id)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Cancelled(10)).ok());
  std::vector<uint64_t> ids;
  for (uint64_t after = 0;;) {
    const auto rows = journal->Rows(JournalRows::kUnfinished, after, 4).value();
    if (rows.empty()) break;
    for (const JournalRow& row : rows) ids.push_back(row.job.id);
    after = ids.back();
  }
  EXPECT_EQ(ids, (std::vector<uint64_t>{6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
  const auto counts = journal->Counts().value();
  EXPECT_EQ(counts[static_cast<size_t>(JournalState::kQueued)], 14u);
  EXPECT_EQ(counts[static_cast<size_t>(JournalState::kDone)], 5u);
  EXPECT_EQ(counts[static_cast<size_t>(JournalState::kCancelled)], 1u);
}

TEST_F(JournalTest, PurgeForgetsWhatEndedBeforeAndNothingElse) {
  const auto journal = Open();
  for (uint64_t id = 1; id <= 4; ++id) ASSERT_TRUE(journal->Append(Job(id)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Done(1)).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Failed(2, "INPUT", "")).ok());
  ASSERT_TRUE(journal->Append(JournalChange::Started(3, 1)).ok());
  EXPECT_EQ(journal->PurgeFinished(RowOf(*journal, 1).changed_unix_ns).value(), 0u);
  EXPECT_EQ(journal->PurgeFinished(std::numeric_limits<int64_t>::max()).value(), 2u);
  const auto rows = journal->Rows(JournalRows::kAll, 0, kNoLimit).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].job.id, 3u);
}

TEST_F(JournalTest, PurgingGivesTheFileBackItsSpace) {
  auto journal = Open();
  std::vector<JournalRecord> records;
  for (uint64_t id = 1; id <= 5000; ++id) {
    records.push_back(Job(id));
    records.push_back(JournalChange::Done(id));
  }
  ASSERT_TRUE(journal->Append(records).ok());
  journal.reset();
  const auto before = fs::file_size(Path("queue.db"));
  journal = Open();
  EXPECT_EQ(journal->PurgeFinished(std::numeric_limits<int64_t>::max()).value(), 5000u);
  journal.reset();
  EXPECT_LT(fs::file_size(Path("queue.db")), before / 10);
}

TEST_F(JournalTest, BlacklistIsByContentAndOutlivesJobsAndOpenings) {
  const BlacklistKey file = {.path = "a.jpg", .size_bytes = 5, .mtime_ns = 6, .content_hash = {}};
  const BlacklistKey bytes = {
      .path = "", .size_bytes = 3, .mtime_ns = 0, .content_hash = Sha256::Of("abc")};
  {
    const auto journal = Open();
    ASSERT_TRUE(journal->Append(Job(1)).ok());
    const JournalRecord both[] = {JournalChange::Blacklisted(1, "WORKER_CRASHED", "twice"),
                                  BlacklistEntry{.key = file, .reason = "crash"}};
    ASSERT_TRUE(journal->Append(both).ok());
    ASSERT_TRUE(journal->Append(BlacklistEntry{.key = bytes, .reason = "corrupt"}).ok());
    ASSERT_TRUE(journal->Append(BlacklistEntry{.key = file, .reason = "crash again"}).ok());
    EXPECT_TRUE(journal->IsBlacklisted(file));
    EXPECT_EQ(journal->PurgeFinished(std::numeric_limits<int64_t>::max()).value(), 1u);
  }
  const auto journal = Open();
  EXPECT_TRUE(journal->IsBlacklisted(file));
  EXPECT_TRUE(journal->IsBlacklisted(bytes));
  BlacklistKey repaired = file;
  repaired.mtime_ns = 7;
  EXPECT_FALSE(journal->IsBlacklisted(repaired));
  const auto entries = journal->Blacklist();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].reason, "crash again");
  EXPECT_EQ(entries[1].count, 2u);
  EXPECT_TRUE(journal->RemoveBlacklisted(file).value());
  EXPECT_FALSE(journal->RemoveBlacklisted(file).value());
  EXPECT_FALSE(journal->IsBlacklisted(file));
  EXPECT_EQ(journal->ClearBlacklist().value(), 1u);
  EXPECT_TRUE(journal->Blacklist().empty());
}

TEST_F(JournalTest, OfTwoReasonsForOneContentTheWorseIsKept) {
  const BlacklistKey deadly = {.path = "a", .size_bytes = 1, .mtime_ns = 1, .content_hash = {}};
  const BlacklistKey damaged = {.path = "b", .size_bytes = 1, .mtime_ns = 1, .content_hash = {}};
  {
    const auto journal = Open();
    const auto add = [&](const BlacklistKey& key, const char* reason, bool is_damage) {
      const BlacklistEntry entry{.key = key, .reason = reason, .is_damage = is_damage};
      ASSERT_TRUE(journal->Append(entry).ok());
    };
    add(deadly, "corrupt", true);
    add(deadly, "crash", false);
    add(deadly, "corrupt again", true);
    add(damaged, "corrupt", true);
    add(damaged, "corrupt again", true);
  }
  const auto entries = Open()->Blacklist();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].reason, "crash");
  EXPECT_FALSE(entries[0].is_damage);
  EXPECT_EQ(entries[0].count, 3u);
  EXPECT_EQ(entries[1].reason, "corrupt again");
  EXPECT_TRUE(entries[1].is_damage);
}

TEST_F(JournalTest, ARefusedAppendDoesNotBlacklist) {
  const auto journal = Open();
  const BlacklistKey key = {.path = "a", .size_bytes = 1, .mtime_ns = 1, .content_hash = {}};
  const JournalRecord both[] = {BlacklistEntry{.key = key, .reason = "crash"},
                                JournalChange::Blacklisted(5, "", "")};
  EXPECT_FALSE(journal->Append(both).ok());
  EXPECT_FALSE(journal->IsBlacklisted(key));
  EXPECT_TRUE(journal->Blacklist().empty());
}

TEST_F(JournalTest, ManyThreadsShareCommitsAndEachRecordIsThereOnce) {
  const auto journal = Open();
  constexpr uint64_t kThreads = 8, kEach = 250;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 1; i <= kEach; ++i) {
        const uint64_t id = t * kEach + i;
        failures += !journal->Append(Job(id)).ok();
        // Two tell of the end; one is heard. What the group shares must not spread the refusal.
        failures += !journal->Append(JournalChange::Done(id)).ok();
        failures += journal->Append(JournalChange::Cancelled(id)).ok();
        if (i % 50 == 0) failures += !journal->Rows(JournalRows::kUnfinished, 0, 5).ok();
        if (i % 50 == 0) {
          const BlacklistKey key = {
              .path = "x", .size_bytes = id, .mtime_ns = 0, .content_hash = {}};
          failures += !journal->Append(BlacklistEntry{.key = key, .reason = "r"}).ok();
          failures += !journal->IsBlacklisted(key);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(journal->Counts().value()[static_cast<size_t>(JournalState::kDone)], kThreads * kEach);
}

TEST_F(JournalTest, FilesAreTheOwnersOnly) {
  const auto journal = Open(true);
  ASSERT_TRUE(journal->Append(Job(1)).ok());
  for (const std::string& name : Names()) {
    struct stat st;
    ASSERT_EQ(stat(Path(name).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(CountOf("-shm"), 0u) << "the index of the WAL is in memory";
}

TEST_F(JournalTest, CloseChecksPointsAndRefusesLaterCalls) {
  const auto journal = Open();
  ASSERT_TRUE(journal->Append(Job(1)).ok());
  EXPECT_TRUE(journal->Close().ok());
  EXPECT_TRUE(journal->Close().ok());
  EXPECT_EQ(journal->Append(Job(2)).code(), StatusCode::kPoolClosed);
  EXPECT_EQ(journal->Counts().status().code(), StatusCode::kPoolClosed);
  EXPECT_FALSE(fs::exists(Path("queue.db-wal")));
  EXPECT_EQ(RowOf(*Open(), 1).job.id, 1u);
}

}  // namespace
}  // namespace pixpress
