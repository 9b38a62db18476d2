#pragma once
// What an engine writes down about its jobs, and how it bears a full disk.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/job.h"
#include "store/journal.h"

namespace pixpress {

struct JournalSetup {
  std::string path;  // Empty: no journal.
  // Whether jobs that an earlier owner left are recovered; else they are kJournalNotEmpty.
  bool takes_over = false;
};

// What the journal keeps of a job besides its paths; the caller's own, and opaque.
struct JournalText {
  std::string settings;
  std::string batch;
};

// Thread-safe. Calls block on the disk, and are never made with a lock of the engine's held. While
// the disk is full no job starts: what could not be written is kept and tried again every second.
class JobJournal {
 public:
  static Result<std::unique_ptr<JobJournal>> Open(const JournalSetup& setup, bool durable,
                                                  const Clock& clock);

  // These are committed when they return. ENOSPC pauses the engine; see IsPaused.
  Status RecordSubmit(const Job& job, Priority priority, const JournalText& text);
  // A job that somebody else makes the pixels of first: Engine::Resubmit takes the row then.
  Result<JournalRow> RecordSubmit(TaskId id, const std::string& source_path,
                                  const std::string& output_path, Priority priority,
                                  const JournalText& text);
  Status RecordStart(TaskId id, uint32_t attempt);
  Status RecordStart(const Job& job) { return RecordStart(job.id, job.attempts + 1); }
  Status RecordOutput(const Job& job, std::span<const std::span<const uint8_t>> chunks);
  Status RecordRetry(const Job& job);
  Status RecordPriority(TaskId id, Priority priority);
  // Ends of jobs. What a full disk does not take is kept for the next call; what a broken one does
  // not take is lost: the next owner finds those jobs unfinished. An empty span tries again.
  Status RecordEnds(std::vector<JournalRecord> records);

  // Write what is left, and give the journal up; when all jobs have ended. Later calls do nothing.
  Status Close();

  bool IsPaused() const { return paused_until_ns_.load() != 0; }
  // Ends a pause that is over: then it is time to try again. When one that is not is over; 0: none.
  int64_t EndPause(bool* is_over);
  // Why the last record could not be written; 0 if it could.
  int last_errno() const { return last_errno_.load(); }
  // Whether this is a file of the journal itself.
  bool IsOwnFile(const FileIdentity& file) const;

  Journal& table() { return *journal_; }
  TaskId next_id() const { return next_id_; }

 private:
  JobJournal(std::unique_ptr<Journal> journal, const Clock& clock)
      : journal_(std::move(journal)), clock_(clock) {}
  Status Append(std::span<const JournalRecord> records);

  const std::unique_ptr<Journal> journal_;
  const Clock& clock_;
  TaskId next_id_ = 1;
  std::atomic<int64_t> paused_until_ns_{0};
  std::atomic<int> last_errno_{0};
  std::mutex mutex_;  // Guards the next one; held while it is written.
  std::vector<JournalRecord> unwritten_;
};

}  // namespace pixpress
