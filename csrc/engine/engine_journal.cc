// What the engine does for its journal, and for outputs that must be on the disk.

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "engine/engine_impl.h"
#include "engine/isolated_attempt.h"

namespace pixpress {
namespace {

// How long ago the journal's clock, which the user may set, says that something was.
int64_t AgeNs(int64_t unix_ns) {
  const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  return std::max<int64_t>(0, now_ns - unix_ns);
}

Status CrashStatus(uint32_t crashes) {
  return Status(StatusCode::kBlacklisted,
                std::to_string(crashes) + " processes died while they worked on this input")
      .At(Stage::kQueue);
}

// All files first, then all names, then each folder once: a file system puts syncs together.
void PlaceOutputs(std::vector<Ending>& group) {
  const auto each = [&](auto step) {
    for (Ending& ending : group) {
      if (ending.output.has_value() && ending.status.ok()) ending.status = step(*ending.output);
    }
  };
  each([](PendingFile& file) { return file.Sync(); });
  each([](PendingFile& file) { return file.Publish(); });
  std::map<std::pair<uint64_t, uint64_t>, Status> folders;
  each([&](PendingFile& file) {
    const auto [found, is_new] = folders.try_emplace(file.folder());
    if (is_new) found->second = file.SyncFolder();
    return found->second;
  });
}

}  // namespace

TaskId EngineImpl::NewId() {
  const std::lock_guard lock(mutex_);
  return next_id_++;
}

// The journal did not take the job, so nobody was told that it is queued.
Status EngineImpl::Withdraw(const JobPtr& job, Status status) {
  {
    const std::lock_guard lock(mutex_);
    LeaveQueueLocked(*job, clock_.NowNs());
    jobs_.erase(job->id);
    EndWorkersLocked();
    --submitted_;
  }
  ended_.notify_all();
  timer_.WakeBy(clock_.NowNs());
  return status;
}

Result<std::shared_ptr<Job>> EngineImpl::Resubmit(JobSpec&& spec, const JournalRow& row) {
  auto identity = IdentifyFile(spec.source.name);
  std::optional<FileIdentity> known;
  if (identity.ok()) {
    known = identity.value();
  } else if (row.job.source.inode != 0) {
    known = row.job.source;
  }
  const bool is_to_blame = row.crashes >= kMostCrashes;
  // A suspect gets a process of its own where there is one, and else runs alone.
  spec.isolate = row.crashes > 0 && CanIsolate(spec, options().worker_program);
  JobPtr job;
  std::optional<TaskQueue::Entry> ready;
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.contains(row.job.id)) {
      return Status(StatusCode::kOption,
                    "job " + std::to_string(row.job.id) + " is queued already");
    }
    job = AdmitLocked(row.job.id, std::move(spec), static_cast<Priority>(row.job.priority), known,
                      clock_.NowNs() - AgeNs(row.job.created_unix_ns));
    job->is_journalled = true;
    job->attempts = row.attempt;
    job->retries = job->key.retries = row.retries;
    job->crashes = row.crashes;
    if (row.crashes > 0 && !is_to_blame && !job->spec.isolate) suspects_.Add(job->id);
    if (!is_to_blame) ready = ReadyLocked(*job);
  }
  if (is_to_blame) {
    Status status = CrashStatus(row.crashes);
    Blame(*job, row.job.source, status, 1);
    EndJob(job, std::move(status));
  }
  if (ready.has_value()) workers_.Push(*ready);
  timer_.WakeBy(clock_.NowNs() + kNsPerSecond);
  return job;
}

void EngineImpl::Blame(Job& job, const std::optional<FileIdentity>& identity, const Status& status,
                       uint32_t needed) {
  const bool is_damage = status.code() == StatusCode::kCorruptImage;
  auto key = is_damage ? blacklist_.AddDamaged(job.spec.source, identity, status.message())
                       : blacklist_.Blame(job.spec.source, identity, status.message(), needed);
  if (journal_ == nullptr || !key.has_value()) return;
  const std::lock_guard lock(mutex_);
  job.blame =
      BlacklistEntry{.key = *std::move(key), .reason = status.message(), .is_damage = is_damage};
}

Result<size_t> EngineImpl::ClearBlacklist(const std::string& name) {
  const std::vector<BlacklistKey> keys = blacklist_.Clear(name);
  if (journal_ == nullptr) return keys.size();
  Journal& table = journal_->table();
  if (name.empty()) {
    PIXPRESS_ASSIGN_OR_RETURN(const uint64_t cleared, table.ClearBlacklist());
    return std::max<size_t>(cleared, keys.size());
  }
  for (const BlacklistKey& key : keys) {
    PIXPRESS_ASSIGN_OR_RETURN([[maybe_unused]] const bool was_there, table.RemoveBlacklisted(key));
  }
  return keys.size();
}

void EngineImpl::CancelAll(bool running_too) {
  std::vector<JobPtr> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, job] : jobs_) {
      if (running_too || job->state.load() == JobState::kQueued) targets.push_back(job);
    }
  }
  std::vector<JournalRecord> records;
  for (const auto& job : targets) {
    const bool has_run = job->state.load() == JobState::kRunning;
    if (!CancelAs(job, CommitState::kPutOff) || !has_run || !job->is_journalled) continue;
    if (job->commit.load() == CommitState::kPutOff) {
      records.emplace_back(JournalChange::Queued(job->id, job->retries));
    }
  }
  // At once, since what cannot be stopped may outlive this process's patience: its file has done
  // nothing wrong.
  if (!records.empty()) (void)journal_->RecordEnds(std::move(records));
}

std::vector<JournalRecord> RecordsOf(const Ending& ending) {
  const Job& job = *ending.job;
  std::vector<JournalRecord> records;
  if (job.blame.has_value()) records.emplace_back(*job.blame);
  if (!job.is_journalled) return records;
  if (job.commit.load() == CommitState::kPutOff) {
    if (ending.has_run) records.emplace_back(JournalChange::Queued(job.id, job.retries));
  } else if (ending.state == JobState::kCancelled) {
    records.emplace_back(JournalChange::Cancelled(job.id));
  } else if (ending.state == JobState::kDone) {
    records.emplace_back(JournalChange::Done(job.id));
  } else {
    const std::string code(StatusCodeName(ending.status.code()));
    const bool is_blacklisted = ending.status.code() == StatusCode::kBlacklisted;
    records.emplace_back(is_blacklisted
                             ? JournalChange::Blacklisted(job.id, code, ending.status.message())
                             : JournalChange::Failed(job.id, code, ending.status.message()));
  }
  return records;
}

// On the commit thread.
void EngineImpl::CommitGroup(std::vector<Ending> group) {
  PlaceOutputs(group);
  std::vector<Ending> ended;
  std::vector<JournalRecord> records;
  for (Ending& ending : group) {
    if (ending.output.has_value()) {
      ending.output.reset();  // Closes it, and removes what did not get its name.
      const Taken taken{.job = ending.job, .options = ending.options};
      Status status = OutcomeOfWriting(*ending.job, std::move(ending.status)).At(Stage::kWrite);
      if (!status.ok() && RetryLater(taken, status)) continue;
      ending = Decide(ending.job, std::move(status));
    }
    std::ranges::move(ending.records, std::back_inserter(records));
    ended.push_back(std::move(ending));
  }
  const Status status = journal_ == nullptr ? Status() : journal_->RecordEnds(std::move(records));
  if (!status.ok()) timer_.WakeBy(clock_.NowNs());  // To see when it is time to try again.
  for (Ending& ending : ended) {
    // Not that of a job that was given up: its worker may still write it.
    const bool is_done = !ending.is_second && ending.state == JobState::kDone;
    if (!status.ok() && ending.job->is_journalled && is_done) {
      ending.job->result.warnings.push_back("the journal has not recorded the end of this job: " +
                                            status.message());
    }
    Finish(ending);
  }
}

// When a pause is over, see whether the disk has space again.
int64_t EngineImpl::ResumeJournal() {
  if (journal_ == nullptr) return kNeverNs;
  bool is_over = false;
  const int64_t until_ns = journal_->EndPause(&is_over);
  if (is_over) {
    commits_->Wake();
    workers_.Reconsider();
  }
  return until_ns == 0 ? kNeverNs : until_ns;
}

}  // namespace pixpress
