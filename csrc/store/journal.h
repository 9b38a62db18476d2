#pragma once
// What a pool must not forget: jobs, their states, the blacklist. docs/journal.md has the promise.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/journal_lock.h"
#include "store/journal_record.h"
#include "store/journal_recovery.h"
#include "store/journal_table.h"

namespace pixpress {

struct JournalOptions {
  // True: what Append has returned for survives a power loss too, not only the death of the
  // process.
  bool durable = true;
};

// A passive object without threads. Thread-safe. Every call may block on the disk; errors are
// kJournal with the errno of store/sqlite.h. After EIO or EUCLEAN all calls fail: only opening it
// again shows what the file holds. In a forked child every call is kForkedPool, and the destructor
// does nothing.
class Journal {
 public:
  // Become the owner of the journal at `path` (links are followed; its folder must exist), make it
  // if it is missing, and bring what a dead owner left into order (store/journal_recovery.h). A
  // damaged journal is renamed and an empty one made: see notices(). kJournal with EAGAIN and the
  // pid in the message if it has an owner; with EEXIST if the file is no journal.
  static Result<std::unique_ptr<Journal>> Open(const std::string& path,
                                               const JournalOptions& options);
  ~Journal();

  // Record all of `records` or, on error, none; returns when committed. Calls that come while a
  // commit is under way share the next one: one of the callers runs it for all. A job's id must be
  // new. A change must be of a job that has not ended: of two final states the first stands, and
  // the second is an error. An error that is not of the records themselves (a full disk) leaves
  // open whether a crash right after it would show them.
  Status Append(std::span<const JournalRecord> records);
  Status Append(const JournalRecord& record) { return Append({&record, 1}); }

  // Rows with an id above `after_id`, in order of submission: page through them with the last id.
  // kUnfinished right after Open: all kQueued; `crashes` > 0 marks the suspects of a crash.
  Result<std::vector<JournalRow>> Rows(JournalRows which, uint64_t after_id, size_t limit);
  // By JournalState.
  Result<std::array<uint64_t, kJournalStateCount>> Counts();
  // An id that no job has, nor will have by another call: ask once and count on.
  Result<uint64_t> NextId();
  // Forget jobs that ended before `before_unix_ns`; the blacklist stays. Returns how many.
  Result<uint64_t> PurgeFinished(int64_t before_unix_ns);

  // Does not touch the disk.
  bool IsBlacklisted(const BlacklistKey& key) const;
  std::vector<BlacklistEntry> Blacklist() const;  // In order of key.
  Result<bool> RemoveBlacklisted(const BlacklistKey& key);
  Result<uint64_t> ClearBlacklist();

  const std::string& path() const { return path_; }  // Absolute, without links.
  // What the user must hear about the opening: a damaged journal, and where it is now.
  const std::vector<std::string>& notices() const { return notices_; }
  const JournalRecovery& recovery() const { return recovery_; }

  // Give the journal up: checkpoint, close, unlock. Later calls are kPoolClosed. The destructor
  // does it too, but cannot say what failed.
  Status Close();

 private:
  // One Append that waits for its commit.
  struct Request {
    std::span<const JournalRecord> records;
    Status status;
    bool is_done = false;
  };

  Journal(std::string path, JournalLock lock, bool durable);
  Status Start();
  Status CheckUsable() const;  // With database_mutex_ held.
  bool IsForked() const;
  void CommitGroup(std::span<Request* const> group);
  Status RunTransaction(std::span<Request* const> group);
  Status ApplyRequest(Request* request, int64_t unix_ns);
  Status SetSync(bool is_full);
  Status LoadBlacklist();
  // Note a failure that lasts.
  Status Checked(Status status);
  template <typename Ask>
  auto WithTable(Ask ask) -> decltype(ask(std::declval<JournalTable&>()));

  const std::string path_;
  const bool durable_;
  const ProcessIdentity owner_;
  std::vector<std::string> notices_;
  JournalRecovery recovery_;

  std::mutex queue_mutex_;  // Guards pending_, has_leader_ and the requests' is_done.
  std::condition_variable group_done_;
  std::vector<Request*> pending_;  // Not owned: each is on its caller's stack.
  bool has_leader_ = false;

  std::mutex database_mutex_;  // Guards the rest but the blacklist. Never taken under queue_mutex_.
  std::unique_ptr<JournalLock> lock_;    // Given up after table_.
  std::unique_ptr<JournalTable> table_;  // Null: closed.
  bool is_sync_full_;
  Status failure_;  // Not OK: all calls fail with it.

  mutable std::mutex blacklist_mutex_;  // Taken last.
  std::map<BlacklistKey, BlacklistEntry> blacklist_;
};

}  // namespace pixpress
