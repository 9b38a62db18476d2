#pragma once
// The journal's tables: one statement per question, and what a record does to them.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/journal_record.h"
#include "store/sqlite.h"

namespace pixpress {

enum class JournalRows : uint8_t { kAll, kUnfinished };

// One thread at a time. Transactions are the caller's.
class JournalTable {
 public:
  static Result<std::unique_ptr<JournalTable>> Create(Database database);

  // kJournal, leaving the tables as they were, for an id that is there already, or that is not
  // there or is final.
  Status Apply(const JournalRecord& record, const ProcessIdentity& owner, int64_t unix_ns);
  // Set the job queued; `crashes` counts the processes that died of it.
  Status Requeue(uint64_t id, uint32_t crashes, int64_t unix_ns);

  Result<std::vector<JournalRow>> Rows(JournalRows which, uint64_t after_id, size_t limit);
  // Those that an owner had taken: kStarted and kWriting.
  Result<std::vector<JournalRow>> Taken();
  Result<std::array<uint64_t, kJournalStateCount>> Counts();
  Result<uint64_t> LastId();
  Result<uint64_t> PurgeFinished(int64_t before_unix_ns);

  Result<std::vector<BlacklistEntry>> Blacklist();
  Result<bool> RemoveBlacklisted(const BlacklistKey& key);
  Result<uint64_t> ClearBlacklist();

  Database& database() { return database_; }
  // Close the database and say how that went. Nothing may be called after.
  Status Close();

 private:
  explicit JournalTable(Database database) : database_(std::move(database)) {}
  Status PrepareAll();
  Status AddJob(const JournalJob& job, int64_t unix_ns);
  Status ChangeState(const JournalChange& change, const ProcessIdentity& owner, int64_t unix_ns);
  Status AddBlacklisted(const BlacklistEntry& entry, int64_t unix_ns);
  Result<std::vector<JournalRow>> ReadRows(Statement& select, size_t limit);

  Database database_;
  struct Statements;
  struct StatementsDeleter {
    void operator()(Statements* statements) const;
  };
  std::unique_ptr<Statements, StatementsDeleter> statements_;  // Gone before database_.
};

}  // namespace pixpress
