// How the engine runs a job: one attempt, and what follows from its outcome.

#include <algorithm>
#include <string>
#include <utility>

#include "base/file.h"
#include "engine/engine_impl.h"
#include "engine/isolated_attempt.h"
#include "engine/job_progress.h"

namespace pixpress {
namespace {

// What a job is charged before its header was read.
constexpr uint64_t kProbeBytes = 1u << 20;
// A job that others overtook this often, or for this long, gets the claim on freed memory.
constexpr uint32_t kMostOvertakes = 16;
constexpr int64_t kMostBlockedNs = 2 * kNsPerSecond;

bool IsIsolated(const Taken& taken) {
  return taken.options.isolate_jobs || taken.job->spec.isolate;
}

// Why the job is not even tried; OK if it is.
Status RefusalOf(const Taken& taken, const Blacklist& blacklist) {
  const auto& [job, options] = taken;
  if (options.queue_timeout_ns != 0 && job->waited_ns > options.queue_timeout_ns) {
    return Status(StatusCode::kQueueTimeout,
                  "the job waited " + std::to_string(job->waited_ns / kNsPerMs) + " ms")
        .At(Stage::kQueue);
  }
  const bool salvages = job->spec.settings->on_damage == OnDamage::kSalvage;
  const auto reason = blacklist.Find(job->spec.source, salvages);
  if (!reason.has_value()) return Status();
  return Status(StatusCode::kBlacklisted, "the input is blacklisted: " + *reason).At(Stage::kQueue);
}

}  // namespace

bool EngineImpl::CanRun(const TaskQueue::Entry& entry) {
  if (journal_ != nullptr && journal_->IsPaused()) return false;
  // What a limit, lowered perhaps, can never give is not waited for: the attempt says so.
  const uint64_t wanted_bytes = entry.known_bytes == 0 ? kProbeBytes : entry.known_bytes;
  const uint64_t needed_bytes = std::min<uint64_t>(wanted_bytes, budget_.limit_bytes());
  if (budget_.Fits(entry.id, needed_bytes)) return true;
  if (entry.known_bytes == 0) return false;
  const int64_t blocked_ns = clock_.NowNs() - entry.blocked_since_ns;
  if (entry.overtaken >= kMostOvertakes || blocked_ns >= kMostBlockedNs) {
    budget_.Claim(entry.id, needed_bytes);
  }
  return false;
}

bool EngineImpl::MayStart(uint32_t workers, size_t waiting, const ScaleLimits& limits) {
  const ScaleSample sample{.workers = workers,
                           .waiting = waiting,
                           .memory_admits = budget_.Fits(0, kProbeBytes),
                           .cpu_percent = cpu_percent_.load(),
                           .cpu_sampled_ns = cpu_sampled_ns_.load()};
  return MayStartWorker(sample, limits, clock_.NowNs());
}

void EngineImpl::OnWorkerStarted(uint32_t worker_id) {
  if (const EngineOptions now = options(); now.isolate_jobs) {
    // What goes wrong here, the first job will meet again and tell.
    static_cast<void>(runners_.Of(worker_id, now.worker_program).Start());
    runners_.Note(worker_id, /*keeps_process=*/true);
  }
  events_.PushAlways({.type = EventType::kWorkerStarted, .worker_id = worker_id});
}

void EngineImpl::OnWorkerEnded(uint32_t worker_id) {
  runners_.End(worker_id);
  events_.PushAlways({.type = EventType::kWorkerEnded, .worker_id = worker_id});
}

Taken EngineImpl::Take(TaskId id, uint32_t worker_id) {
  const std::lock_guard lock(mutex_);
  const JobPtr& job = jobs_.at(id);
  const int64_t now_ns = clock_.NowNs();
  LeaveQueueLocked(*job, now_ns);
  job->state.store(JobState::kRunning);
  job->worker_id = static_cast<int32_t>(worker_id);
  job->start_time_ns = now_ns;
  return {.job = job, .options = options_};
}

Attempt EngineImpl::RunAttempt(const Taken& taken, uint64_t known_bytes, Parallel& parallel) {
  const auto& [job, options] = taken;
  Attempt refused{.status = RefusalOf(taken, blacklist_)};
  if (!refused.status.ok()) return refused;
  if (options.task_timeout_ns != 0) {
    job->stop.SetDeadline(&clock_, job->start_time_ns + options.task_timeout_ns);
  }
  job->result = JobResult();  // Nothing stays of an attempt before this one.
  JobProgress progress(clock_, [&, job = job](Stage stage, float fraction) {
    events_.PushDroppable(
        {.type = EventType::kTaskProgress, .job = job, .stage = stage, .fraction = fraction});
  });
  bool is_isolated = IsIsolated(taken);
  const auto worker_id = static_cast<uint32_t>(job->worker_id);
  const auto make_runner = [&, &job = job, &options = options]() -> ChildRunner* {
    is_isolated = CanIsolate(job->spec, options.worker_program);
    return is_isolated ? &runners_.Of(worker_id, options.worker_program) : nullptr;
  };
  const AttemptContext context{
      .budget = budget_,
      .parallel = parallel,
      .progress = is_progress_wanted_.load() ? &progress : nullptr,
      .worker_memory_limit_bytes = options.worker_memory_limit_bytes,
      .durable = options.durable,
      .journal = job->is_journalled ? journal_ : nullptr,
      .runner = is_isolated ? &runners_.Of(worker_id, options.worker_program) : nullptr,
      .make_runner = make_runner,
      .cpu_limit_ns = options.task_timeout_ns,
      .has_spare_cpu = is_isolated && workers_.busy_workers() < monitor_.allowed_cpus(),
      .known_bytes = known_bytes,
      .cache = cache_,
      .join_flight = [this](Job& identical) { return JoinFlight(identical); }};
  Attempt attempt = parts_.attempt(*job, context);
  if (is_isolated) runners_.Note(worker_id, /*keeps_process=*/options.isolate_jobs);
  return attempt;
}

// False if the job was given up meanwhile: then it waits for nothing, but for its worker's last
// word.
bool EngineImpl::Block(const JobPtr& job, uint64_t needed_bytes, TaskQueue::Entry* entry) {
  const int64_t now_ns = clock_.NowNs();
  {
    const std::lock_guard lock(mutex_);
    if (job->is_ending || job->is_abandoned) return false;
    EnterQueueLocked(*job, now_ns);
    entry->key.priority = job->key.priority;
  }
  entry->known_bytes = needed_bytes;
  if (entry->blocked_since_ns == 0) entry->blocked_since_ns = now_ns;
  return true;
}

// True if the job will be tried again: then it waits for its time, without a worker.
bool EngineImpl::RetryLater(const Taken& taken, const Status& status) {
  const auto& [job, options] = taken;
  if (!IsRetryable(status.code(), status.sys_errno(), job->identity.has_value())) return false;
  const RetryOptions retry{.max_retries = options.max_retries,
                           .first_delay_ns = options.retry_delay_ns,
                           .backoff_multiplier = options.backoff_multiplier};
  const int64_t now_ns = clock_.NowNs();
  Event event{.type = EventType::kTaskRetry, .job = job, .status = status};
  {
    const std::lock_guard lock(mutex_);
    if (job->is_ending || job->is_abandoned) return false;
    if (job->retries >= retry.max_retries || !retry_budget_.Take()) return false;
    // The output could not be written, so a cancel is in time again.
    CommitState committed = CommitState::kCommitted;
    job->commit.compare_exchange_strong(committed, CommitState::kOpen);
    if (job->commit.load() != CommitState::kOpen) return false;
    event.delay_ns = RetryDelayNs(retry, job->retries, jitter_.Next());
    ++job->retries;
    job->key.retries = job->retries;
  }
  // Before another attempt can start. Should it fail, a crash before that is charged to the file.
  if (job->is_journalled) (void)journal_->RecordRetry(*job);
  {
    const std::lock_guard lock(mutex_);
    if (job->is_ending || job->is_abandoned) return false;
    if (job->commit.load() != CommitState::kOpen) return false;
    ClearSuspectLocked(job->id);
    LeaveFlightLocked(*job, /*others_fly_alone=*/false);
    job->retry_due_ns = std::max<int64_t>(now_ns + event.delay_ns, 1);
    job->state.store(JobState::kQueued);
    retries_.emplace(job->retry_due_ns, job);
  }
  metrics_.RecordRetry();
  timer_.WakeBy(now_ns + event.delay_ns);
  events_.PushAlways(std::move(event));
  return true;
}

// Only what the input itself is to blame for, and only if it is still what was submitted. A process
// that dies or hangs may do so for what a job before has left in it, so that once is not enough.
void EngineImpl::NoteBadInput(const Taken& taken, const Status& status) {
  Job& job = *taken.job;
  const bool is_corrupt = status.code() == StatusCode::kCorruptImage;
  const bool is_crash = status.code() == StatusCode::kWorkerCrashed && status.sys_errno() == 0;
  const bool is_hang = IsIsolated(taken) && status.code() == StatusCode::kTaskTimeout;
  if (!is_corrupt && !is_crash && !is_hang) return;
  if (job.spec.source.kind == Source::Kind::kFile) {
    const auto now = IdentifyFile(job.spec.source.name);
    if (!now.ok() || !job.identity.has_value() || !(now.value() == *job.identity)) return;
  }
  Blame(job, job.identity, status, is_corrupt || job.spec.isolate ? 1 : kMostCrashes);
}

RunOutcome EngineImpl::Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) {
  const Taken taken = Take(entry.id, worker_id);
  const JobPtr& job = taken.job;
  Attempt attempt = RunAttempt(taken, entry.known_bytes, parallel);
  if (attempt.outcome == AttemptOutcome::kWaits) return RunOutcome::kEnded;
  if (attempt.outcome == AttemptOutcome::kBlocked) {
    // The journal may have refused what was about to be written: a cancel is in time again.
    CommitState committed = CommitState::kCommitted;
    job->commit.compare_exchange_strong(committed, CommitState::kOpen);
    if (journal_ != nullptr && journal_->IsPaused()) timer_.WakeBy(clock_.NowNs() + kNsPerSecond);
    const bool is_open = job->commit.load() == CommitState::kOpen;
    if (is_open && Block(job, attempt.needed_bytes, &entry)) return RunOutcome::kBlocked;
    Status status = StopToken(job->stop).Poll();
    EndJob(job, status.ok() ? Status(StatusCode::kCancelled, "the job was cancelled") : status);
    return RunOutcome::kEnded;
  }
  {
    const std::lock_guard lock(mutex_);
    ++job->attempts;
  }
  if (!attempt.status.ok() && RetryLater(taken, attempt.status)) return RunOutcome::kEnded;
  NoteBadInput(taken, attempt.status);
  CheckMemory();
  if (attempt.output.has_value()) {
    Ending ending{.job = job, .status = std::move(attempt.status)};
    ending.output = std::move(attempt.output);
    ending.options = taken.options;
    commits_->Push(std::move(ending));
  } else {
    EndJob(job, std::move(attempt.status));
  }
  return RunOutcome::kEnded;
}

// Counts the end, and tells everyone who waits for it.
void EngineImpl::PublishEndLocked(const JobPtr& job, bool has_run) {
  const bool is_done = job->state.load() == JobState::kDone;
  TaskSample sample{.worker_id = has_run ? job->worker_id : -1,
                    .outcome = is_done                                  ? TaskOutcome::kSucceeded
                               : job->state.load() == JobState::kFailed ? TaskOutcome::kFailed
                                                                        : TaskOutcome::kCancelled,
                    .queued_ns = job->waited_ns,
                    .run_ns = job->end_time_ns - job->start_time_ns};
  if (is_done) {
    sample.original_bytes = job->result.original_bytes;
    sample.compressed_bytes = job->result.compressed_bytes;
    sample.peak_memory_bytes = job->result.peak_memory_bytes;
    std::ranges::copy(job->result.stage_ns, sample.stage_ns.begin());
  }
  metrics_.Record(sample, job->end_time_ns);
  const bool is_watched = is_progress_wanted_.load();
  if (is_done && is_watched) {
    events_.PushSilently(
        {.type = EventType::kTaskProgress, .job = job, .stage = Stage::kWrite, .fraction = 1.0f});
  }
  Event event{.type = EventType::kTaskEnded, .job = job, .fraction = 1.0f};
  // A thread that waits for this very job sees its end without the reader of the events.
  job->waiters > 0 && !is_watched ? events_.PushSilently(std::move(event))
                                  : events_.PushAlways(std::move(event));
}

// Fix the outcome: from here on no cancel and no time-out changes it.
Ending EngineImpl::Decide(const JobPtr& job, Status status) {
  budget_.Unclaim(job->id);
  // A failure that a cancel overtook is a cancel: its caller was told so.
  CommitState open = CommitState::kOpen;
  const bool is_cancelled = !job->commit.compare_exchange_strong(open, CommitState::kCommitted) &&
                            (open == CommitState::kCancelled || open == CommitState::kPutOff);
  Ending ending{.job = job, .status = std::move(status)};
  {
    const std::lock_guard lock(mutex_);
    ending.is_second = std::exchange(job->is_ending, true);
    if (ending.is_second) return ending;
    ending.has_run = job->state.load() == JobState::kRunning;
    if (!TakeFromRetriesLocked(*job) && !ending.has_run) LeaveQueueLocked(*job, clock_.NowNs());
    ending.state = is_cancelled         ? JobState::kCancelled
                   : ending.status.ok() ? JobState::kDone
                                        : JobState::kFailed;
    if (journal_ != nullptr) ending.records = RecordsOf(ending);
  }
  return ending;
}

void EngineImpl::ClearSuspectLocked(TaskId id) {
  for (const TaskId next : suspects_.Clear(id)) {
    if (const auto entry = ReadyLocked(*jobs_.at(next))) workers_.Push(*entry);
  }
}

void EngineImpl::EndJob(const JobPtr& job, Status status) {
  Ending ending = Decide(job, std::move(status));
  const bool follows_another = commits_ != nullptr && ending.is_second;
  if (follows_another || !ending.records.empty()) {
    commits_->Push(std::move(ending));
  } else {
    Finish(ending);
  }
}

// Tell everyone who waits.
void EngineImpl::Finish(Ending& ending) {
  const JobPtr& job = ending.job;
  bool has_waiters = false;
  {
    const std::lock_guard lock(mutex_);
    if (ending.is_second) {
      if (job->state.load() < JobState::kDone) {
        job->is_abandoned = false;  // The first end is on its way still, and tells this as well.
      } else {
        events_.PushAlways({.type = EventType::kTaskReleased, .job = job});
      }
      return;
    }
    job->end_time_ns = clock_.NowNs();
    job->status = std::move(ending.status);
    ++(ending.state == JobState::kCancelled ? cancelled_
       : ending.state == JobState::kDone    ? succeeded_
                                            : failed_);
    // The result of an abandoned job is still its worker's.
    if (ending.state != JobState::kDone && !job->is_abandoned) job->result.data.reset();
    job->state.store(ending.state);
    jobs_.erase(job->id);
    ClearSuspectLocked(job->id);  // Its end is written down: no crash of the next one blames it.
    const bool is_done = ending.state == JobState::kDone;
    LeaveFlightLocked(*job, is_done ? !job->is_shared : ending.state == JobState::kFailed);
    EndWorkersLocked();
    PublishEndLocked(job, ending.has_run);
    has_waiters = job->waiters > 0 || (idle_waiters_ > 0 && jobs_.empty());
  }
  if (has_waiters) ended_.notify_all();
}

}  // namespace pixpress
