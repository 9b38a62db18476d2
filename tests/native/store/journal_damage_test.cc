// Damage, other people's files, and full disks.

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <limits>

#include "store/journal.h"
#include "store/journal_schema.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

JournalJob Job(uint64_t id) {
  JournalJob job;
  job.id = id;
  job.source_path = "in/" + std::to_string(id) + ".jpg";
  job.settings = std::string(200, 's');
  return job;
}

class JournalDamageTest : public FolderTest {
 protected:
  Result<std::unique_ptr<Journal>> Open() const {
    return Journal::Open(Path("queue.db"), {.durable = false});
  }
  // A journal whose jobs are in the database and in the WAL, as a killed owner leaves it.
  void Make() const {
    const int code = WaitFor(Fork([&] {
      for (int part = 0; part < 2; ++part) {
        auto journal = Open();
        if (!journal.ok()) return 1;
        for (uint64_t i = 1; i <= (part == 0 ? 150 : 30); ++i) {
          if (!journal.value()->Append(Job(1000 * part + i)).ok()) return 2;
        }
        const BlacklistKey key = {.path = "x", .size_bytes = 1, .mtime_ns = 1, .content_hash = {}};
        if (!journal.value()->Append(BlacklistEntry{.key = key, .reason = "r"}).ok()) return 3;
        if (part == 1) return raise(SIGKILL);
      }
      return 4;
    }));
    ASSERT_EQ(code, -SIGKILL);
    ASSERT_TRUE(fs::exists(Path("queue.db-wal")));
  }
  static void Damage(const std::string& path, size_t offset, const std::string& with) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_EQ(pwrite(fd, with.data(), with.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(with.size()));
    close(fd);
  }
  // It opens and can be used, whatever it lost. True if it was set aside.
  bool OpensUsable(const std::string& what) const {
    auto opened = Open();
    EXPECT_TRUE(opened.ok()) << what << ": " << opened.status().message();
    if (!opened.ok()) return false;
    Journal& journal = *opened.value();
    const auto rows = journal.Rows(JournalRows::kAll, 0, kNoLimit);
    EXPECT_TRUE(rows.ok()) << what << ": " << rows.status().message();
    if (!journal.notices().empty()) {
      EXPECT_TRUE(rows.value().empty());
      EXPECT_NE(journal.notices()[0].find(".corrupt-"), std::string::npos);
      EXPECT_EQ(CountOf(".corrupt-") > 0, true);
    }
    EXPECT_TRUE(journal.Append(Job(9999)).ok()) << what;
    EXPECT_TRUE(journal.Append(JournalChange::Started(9999, 1)).ok()) << what;
    return !journal.notices().empty();
  }
};

TEST_F(JournalDamageTest, EveryDamagedKilobyteIsSurvivedOrSetAside) {
  Make();
  const std::string database = Read(Path("queue.db"));
  const std::string wal = Read(Path("queue.db-wal"));
  const fs::path lock = Path("queue.db.lock");
  size_t set_aside = 0, rounds = 0;
  const auto restore = [&] {
    for (const std::string& name : Names()) {
      if (name != lock.filename()) fs::remove(Path(name));
    }
    Write(Path("queue.db"), database);
    Write(Path("queue.db-wal"), wal);
  };
  for (const char* part : {"", "-wal", "-shm"}) {
    const size_t size = *part == 0 ? database.size() : *part && part[1] == 'w' ? wal.size() : 32768;
    for (size_t at = 0; at < size; at += 1024) {
      for (const std::string& with :
           {std::string(1024, '\0'), std::string(1024, '\xff'), std::string(1, '\x5a')}) {
        restore();
        Damage(Path(std::string("queue.db") + part), at, with);
        set_aside += OpensUsable(std::string(part) + "@" + std::to_string(at));
        ++rounds;
      }
    }
  }
  EXPECT_GT(set_aside, 20u) << rounds;
  EXPECT_LT(set_aside, rounds) << "the WAL's damage is cut off, and -shm is not used at all";
}

TEST_F(JournalDamageTest, EveryTruncationIsSurvivedOrSetAside) {
  Make();
  const std::string database = Read(Path("queue.db"));
  const std::string wal = Read(Path("queue.db-wal"));
  for (size_t size = 0; size < database.size(); size += 1000) {
    Write(Path("queue.db"), database.substr(0, size));
    Write(Path("queue.db-wal"), wal);
    OpensUsable("cut at " + std::to_string(size));
  }
  for (size_t size = 0; size < wal.size(); size += 1000) {
    Write(Path("queue.db"), database);
    Write(Path("queue.db-wal"), wal.substr(0, size));
    EXPECT_FALSE(OpensUsable("WAL cut at " + std::to_string(size)));
  }
}

TEST_F(JournalDamageTest, WhatWasSetAsideIsKeptWholeUnderNamesOfItsOwn) {
  Make();
  for (int i = 0; i < 3; ++i) {
    Write(Path("queue.db"), std::string(5000, 'x'));
    EXPECT_TRUE(OpensUsable("x"));
  }
  size_t kept = 0;
  for (const std::string& name : Names()) {
    const bool is_database =
        name.find(".corrupt-") != std::string::npos && name.find("-wal") == std::string::npos;
    if (is_database && Read(Path(name)) == std::string(5000, 'x')) ++kept;
  }
  EXPECT_EQ(kept, 3u);
}

TEST_F(JournalDamageTest, FilesThatAreNoJournalAreRefusedAndLeftAlone) {
  const std::string photo = "\xff\xd8\xff" + std::string(3000, 'p');
  Write(Path("queue.db"), photo);
  for (int i = 0; i < 2; ++i) {
    const auto refused = Open();
    EXPECT_EQ(refused.status().code(), StatusCode::kJournal);
    EXPECT_EQ(refused.status().sys_errno(), EEXIST) << refused.status().message();
    EXPECT_EQ(Read(Path("queue.db")), photo);
  }
  fs::remove(Path("queue.db"));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(Path("queue.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE t (x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  const std::string bytes = Read(Path("queue.db"));
  EXPECT_EQ(Open().status().sys_errno(), EEXIST);
  EXPECT_EQ(Read(Path("queue.db")), bytes);
  EXPECT_EQ(CountOf(".corrupt-"), 0u);
}

TEST_F(JournalDamageTest, AJournalOfANewerVersionIsRefusedAndLeftAlone) {
  ASSERT_TRUE(Open().ok());
  sqlite3* newer = nullptr;
  ASSERT_EQ(sqlite3_open(Path("queue.db").c_str(), &newer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(newer, "PRAGMA user_version = 2", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(newer);
  EXPECT_EQ(Open().status().sys_errno(), EEXIST);
  EXPECT_EQ(CountOf(".corrupt-"), 0u);
}

TEST_F(JournalDamageTest, OtherProgramsAreKeptOutWhileItIsOpen) {
  const auto journal = Open();
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(WaitFor(Fork([&] {
              sqlite3* other = nullptr;
              sqlite3_open(Path("queue.db").c_str(), &other);
              return sqlite3_exec(other, "SELECT * FROM jobs", nullptr, nullptr, nullptr);
            })),
            SQLITE_BUSY);
}

TEST_F(JournalDamageTest, AFullDiskIsAnErrorAndNothingAcknowledgedIsLost) {
  if (mount("none", folder_.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "needs the right to mount a small tmpfs";
  }
  {
    auto journal = Open();
    ASSERT_TRUE(journal.ok()) << journal.status().message();
    uint64_t acknowledged = 0;
    Status status;
    while (acknowledged < 10'000) {
      status = journal.value()->Append(Job(acknowledged + 1));
      if (!status.ok()) break;
      ++acknowledged;
    }
    EXPECT_EQ(status.code(), StatusCode::kJournal);
    EXPECT_EQ(status.sys_errno(), ENOSPC) << status.message();
    EXPECT_GT(acknowledged, 50u);
    EXPECT_EQ(journal.value()->Counts().value()[0], acknowledged);
    ASSERT_EQ(mount("none", folder_.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
    EXPECT_TRUE(journal.value()->Append(Job(acknowledged + 1)).ok()) << "it goes on with space";
    journal.value().reset();
    journal = Open();
    ASSERT_TRUE(journal.ok());
    EXPECT_EQ(journal.value()->Counts().value()[0], acknowledged + 1);
  }
  EXPECT_EQ(umount(folder_.c_str()), 0);
}

}  // namespace
}  // namespace pixpress
