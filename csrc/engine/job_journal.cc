#include "engine/job_journal.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/sha256.h"

namespace pixpress {
namespace {

constexpr int64_t kPauseNs = kNsPerSecond;

int64_t UnixNowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The next owner may work in another folder.
std::string KeptPath(const std::string& path, const std::string& root) {
  return path.empty() || !root.empty() ? path : AbsolutePath(path);
}

Status RefuseUnfinished(Journal& journal) {
  PIXPRESS_ASSIGN_OR_RETURN(const auto counts, journal.Counts());
  uint64_t unfinished = 0;
  for (size_t state = 0; state < counts.size(); ++state) {
    if (!IsFinal(static_cast<JournalState>(state))) unfinished += counts[state];
  }
  if (unfinished == 0) return Status();
  return Status(StatusCode::kJournalNotEmpty,
                journal.path() + " holds " + std::to_string(unfinished) +
                    " unfinished jobs: Pool.recover and `pixpress resume` finish them",
                EEXIST);
}

}  // namespace

Result<std::unique_ptr<JobJournal>> JobJournal::Open(const JournalSetup& setup, bool durable,
                                                     const Clock& clock) {
  PIXPRESS_ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal,
                            Journal::Open(setup.path, {.durable = durable}));
  if (!setup.takes_over) PIXPRESS_RETURN_IF_ERROR(RefuseUnfinished(*journal));
  PIXPRESS_ASSIGN_OR_RETURN(const uint64_t next_id, journal->NextId());
  std::unique_ptr<JobJournal> opened(new JobJournal(std::move(journal), clock));
  opened->next_id_ = next_id;
  return opened;
}

Status JobJournal::Append(std::span<const JournalRecord> records) {
  Status status = journal_->Append(records);
  last_errno_.store(status.sys_errno());
  if (status.sys_errno() == ENOSPC) {
    paused_until_ns_.store(clock_.NowNs() + kPauseNs);
  }
  return status;
}

int64_t JobJournal::EndPause(bool* is_over) {
  int64_t until_ns = paused_until_ns_.load();
  *is_over = until_ns != 0 && clock_.NowNs() >= until_ns &&
             paused_until_ns_.compare_exchange_strong(until_ns, 0);
  return *is_over ? 0 : until_ns;
}

Status JobJournal::RecordSubmit(const Job& job, Priority priority, const JournalText& text) {
  JournalJob row;
  row.id = job.id;
  row.source_path = AbsolutePath(job.spec.source.name);
  if (job.identity.has_value()) row.source = *job.identity;
  row.output_path = KeptPath(job.spec.output_path, job.spec.output_root);
  row.output_root = KeptPath(job.spec.output_root, "");
  row.settings = text.settings;
  row.priority = static_cast<int>(priority);
  row.batch = text.batch;
  row.created_unix_ns = UnixNowNs();
  const JournalRecord record = std::move(row);
  return Append({&record, 1});
}

Result<JournalRow> JobJournal::RecordSubmit(TaskId id, const std::string& source_path,
                                            const std::string& output_path, Priority priority,
                                            const JournalText& text) {
  JournalRow row;
  row.job.id = id;
  row.job.source_path = AbsolutePath(source_path);
  const auto identity = IdentifyFile(source_path);
  if (identity.ok()) row.job.source = identity.value();
  row.job.output_path = KeptPath(output_path, "");
  row.job.settings = text.settings;
  row.job.priority = static_cast<int>(priority);
  row.job.batch = text.batch;
  row.job.created_unix_ns = UnixNowNs();
  const JournalRecord record = row.job;
  PIXPRESS_RETURN_IF_ERROR(Append({&record, 1}));
  return row;
}

Status JobJournal::RecordStart(TaskId id, uint32_t attempt) {
  const JournalRecord record = JournalChange::Started(id, attempt);
  return Append({&record, 1});
}

Status JobJournal::RecordOutput(const Job& job, std::span<const std::span<const uint8_t>> chunks) {
  JournalOutput output;
  output.path = KeptPath(job.OutputPath(), job.spec.output_root);
  Sha256 hash;
  for (const std::span<const uint8_t> chunk : chunks) {
    output.size_bytes += chunk.size();
    hash.Update(chunk);
  }
  output.hash = hash.Finish();
  const JournalRecord record = JournalChange::Writing(job.id, std::move(output));
  return Append({&record, 1});
}

Status JobJournal::RecordRetry(const Job& job) {
  const JournalRecord record = JournalChange::Queued(job.id, job.retries);
  return Append({&record, 1});
}

Status JobJournal::RecordPriority(TaskId id, Priority priority) {
  const JournalRecord record = JournalPriority{.id = id, .priority = static_cast<int>(priority)};
  return Append({&record, 1});
}

Status JobJournal::RecordEnds(std::vector<JournalRecord> records) {
  const std::lock_guard lock(mutex_);
  std::ranges::move(records, std::back_inserter(unwritten_));
  if (unwritten_.empty()) return Status();
  Status status = Append(unwritten_);
  if (status.sys_errno() == ENOSPC) return status;
  if (!status.ok() && status.sys_errno() == 0) {
    // One of them is refused, which must not cost the others their place.
    for (const JournalRecord& record : unwritten_) {
      Status one = Append({&record, 1});
      if (!one.ok()) status = std::move(one);
    }
  }
  unwritten_.clear();
  return status;
}

Status JobJournal::Close() {
  Status written = RecordEnds({});
  Status closed = journal_->Close();
  return written.ok() ? closed : written;
}

bool JobJournal::IsOwnFile(const FileIdentity& file) const {
  return std::ranges::any_of(
      std::initializer_list<const char*>{"", "-wal", ".lock"}, [&](const char* suffix) {
        const auto own = IdentifyFile(journal_->path() + suffix);
        return own.ok() && own.value().device == file.device && own.value().inode == file.inode;
      });
}

}  // namespace pixpress
