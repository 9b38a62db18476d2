#include "engine/engine.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "base/file.h"
#include "engine/engine_impl.h"

namespace pixpress {
namespace {

ScaleLimits LimitsOf(const EngineOptions& options) {
  return {.min_workers = options.min_workers,
          .max_workers = options.max_workers,
          .idle_timeout_ns = options.idle_timeout_ns,
          .cpu_threshold_percent = options.cpu_threshold_percent};
}

WorkerPoolOptions PoolOptions(const EngineOptions& options) {
  WorkerPoolOptions pool;
  pool.scale = LimitsOf(options);
  pool.nice = options.worker_nice;
  return pool;
}

// `cv.wait_for` that also knows "for ever" (negative).
template <typename Predicate>
bool WaitFor(std::condition_variable& cv, std::unique_lock<std::mutex>& lock, int64_t timeout_ns,
             Predicate done) {
  if (timeout_ns >= 0) return cv.wait_for(lock, std::chrono::nanoseconds(timeout_ns), done);
  cv.wait(lock, done);
  return true;
}

}  // namespace

EngineImpl::EngineImpl(const EngineOptions& options, EngineParts parts)
    : parts_(std::move(parts)),
      clock_(parts_.clock),
      journal_(parts_.journal.get()),
      cache_(parts_.cache.get()),
      buffers_(std::make_shared<BufferPool>(options.memory_limit_bytes)),
      budget_(options.memory_limit_bytes, buffers_.get()),
      events_(options.max_events),
      monitor_(AllowedCpus()),
      options_(options),
      concurrency_{.limit = options.max_workers, .changed_ns = 0},
      jitter_(options.seed != 0 ? options.seed : std::random_device()()),
      commits_(journal_ != nullptr || options.durable
                   ? std::make_unique<CommitThread>(
                         [this](std::vector<Ending> group) { CommitGroup(std::move(group)); })
                   : nullptr),
      workers_(PoolOptions(options), this, clock_),
      timer_(clock_, [this] { return Tick(); }) {
  room_.SetBounds(options.max_queue, options.max_queue_bytes);
  budget_.SetOnFreed([this] { workers_.Reconsider(); });
  if (cache_ != nullptr) {
    cache_->SetOnFailure([this](const Status& status) {
      events_.PushAlways({.type = EventType::kCacheFailed, .status = status});
    });
  }
  if (journal_ == nullptr) return;
  next_id_ = journal_->next_id();
  for (const BlacklistEntry& entry : journal_->table().Blacklist()) blacklist_.Restore(entry);
}

JobPtr EngineImpl::AdmitLocked(TaskId id, JobSpec&& spec, Priority priority,
                               const std::optional<FileIdentity>& identity,
                               int64_t submit_time_ns) {
  const uint64_t input_bytes =
      identity.has_value() ? identity->size_bytes : spec.source.bytes.size();
  const auto job = std::make_shared<Job>(id, std::move(spec), buffers_);
  job->submit_time_ns = submit_time_ns;
  job->input_bytes = input_bytes;
  job->identity = identity;
  job->key = {.priority = priority,
              .is_small = input_bytes < kSmallInputBytes,
              .submit_time_ns = batch_slots_.OrderTime(job->spec.batch, submit_time_ns),
              .batch = job->spec.batch,
              .group = job->spec.group,
              .size_bytes = input_bytes};
  jobs_.emplace(id, job);
  EnterQueueLocked(*job, clock_.NowNs());
  ++submitted_;
  retry_budget_.OnSubmit();
  return job;
}

Result<std::shared_ptr<Job>> EngineImpl::Submit(JobSpec&& spec, Priority priority,
                                                int64_t block_timeout_ns, const JournalText* text) {
  std::optional<FileIdentity> identity;
  if (spec.source.kind == Source::Kind::kFile) {
    // A missing file is the job's failure, not the submission's.
    auto found = IdentifyFile(spec.source.name);
    if (found.ok()) identity = found.value();
  }
  const uint64_t input_bytes =
      identity.has_value() ? identity->size_bytes : spec.source.bytes.size();
  if (journal_ != nullptr && identity.has_value() && journal_->IsOwnFile(*identity)) {
    return Status(StatusCode::kOption, spec.source.name + " is the journal of this pool");
  }
  JobPtr job;
  std::optional<TaskQueue::Entry> ready;
  {
    std::unique_lock lock(mutex_);
    const bool has_room = room_.Wait(lock, input_bytes, block_timeout_ns);
    if (is_closed_) return Status(StatusCode::kPoolClosed, "the pool takes no more jobs");
    if (!has_room) {
      return Status(StatusCode::kQueueFull,
                    "the queue holds " + std::to_string(room_.jobs()) + " jobs already");
    }
    job = AdmitLocked(next_id_++, std::move(spec), priority, identity, clock_.NowNs());
    job->is_journalled = journal_ != nullptr && text != nullptr;
    if (!job->is_journalled) ready = ReadyLocked(*job);
  }
  if (job->is_journalled) {
    // No worker can have it yet. If the pool ends meanwhile it is put off, and ends as all of
    // those.
    Status status = journal_->RecordSubmit(*job, priority, *text);
    if (!status.ok()) return Withdraw(job, std::move(status));
    const std::lock_guard lock(mutex_);
    ready = ReadyLocked(*job);
  }
  if (ready.has_value()) workers_.Push(*ready);
  timer_.WakeBy(job->submit_time_ns + kNsPerSecond);
  return job;
}

// What to push; nothing if the job is held until suspects have run.
std::optional<TaskQueue::Entry> EngineImpl::ReadyLocked(const Job& job) {
  if (!suspects_.MayRun(job.id)) {
    suspects_.Hold(job.id);
    return std::nullopt;
  }
  TaskQueue::Entry entry;
  entry.id = job.id;
  entry.key = job.key;
  return entry;
}

// False if a worker is taking it, or has it.
bool EngineImpl::RemoveQueued(TaskId id) {
  // With the lock, since whoever ends what a job waits for moves it from one place to another.
  const std::lock_guard lock(mutex_);
  if (workers_.Remove(id) || suspects_.Drop(id)) return true;
  if (!flights_.Waits(id)) return false;
  flights_.Leave(id);
  return true;
}

void EngineImpl::EnterQueueLocked(Job& job, int64_t now_ns) {
  job.state.store(JobState::kQueued);
  job.queued_since_ns = now_ns;
  room_.Enter(job.input_bytes);
  if (options_.queue_timeout_ns == 0) return;
  job.queue_due_ns = std::max<int64_t>(now_ns + options_.queue_timeout_ns - job.waited_ns, 1);
  queue_ends_.emplace(job.queue_due_ns, job.id);
  timer_.WakeBy(job.queue_due_ns);
}

void EngineImpl::LeaveQueueLocked(Job& job, int64_t now_ns) {
  room_.Leave(job.input_bytes);
  job.waited_ns += now_ns - job.queued_since_ns;
  if (job.queue_due_ns != 0) queue_ends_.erase({std::exchange(job.queue_due_ns, 0), job.id});
}

bool EngineImpl::TakeFromRetriesLocked(Job& job) {
  if (job.retry_due_ns == 0) return false;
  const auto [first, last] = retries_.equal_range(std::exchange(job.retry_due_ns, 0));
  retries_.erase(
      std::find_if(first, last, [&](const auto& retry) { return retry.second.get() == &job; }));
  return true;
}

bool EngineImpl::Cancel(const JobPtr& job) { return CancelAs(job, CommitState::kCancelled); }

bool EngineImpl::CancelAs(const JobPtr& job, CommitState how) {
  CommitState open = CommitState::kOpen;
  if (!job->commit.compare_exchange_strong(open, how)) {
    return open == CommitState::kCancelled || open == CommitState::kPutOff;
  }
  job->stop.RequestStop(StopReason::kCancelled);
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = TakeFromRetriesLocked(*job);
    if (waits) EnterQueueLocked(*job, clock_.NowNs());  // It ends from there, as any other.
  }
  if (waits || RemoveQueued(job->id)) {
    EndJob(job, Status(StatusCode::kCancelled, "the job was cancelled"));
  }
  return true;
}

bool EngineImpl::WaitEvents(int64_t timeout_ns, std::vector<Event>* events) {
  return events_.Wait(timeout_ns, events);
}

Result<bool> EngineImpl::SetPriority(TaskId id, Priority priority) {
  const std::lock_guard order(priority_mutex_);
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return false;
    Job& job = *found->second;
    const bool waits = job.retry_due_ns != 0 || !suspects_.MayRun(id) || flights_.Waits(id);
    if (!waits && !workers_.SetPriority(id, priority)) return false;
    job.key.priority = priority;
    if (!job.is_journalled) return true;
  }
  PIXPRESS_RETURN_IF_ERROR(journal_->RecordPriority(id, priority));
  return true;
}

std::shared_ptr<Job> EngineImpl::Find(TaskId id) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second;
}

bool EngineImpl::WaitJob(Job& job, int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  ++job.waiters;
  const bool has_ended =
      WaitFor(ended_, lock, timeout_ns, [&] { return job.state.load() >= JobState::kDone; });
  --job.waiters;
  return has_ended;
}

bool EngineImpl::WaitIdle(int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  ++idle_waiters_;
  const bool is_idle = WaitFor(ended_, lock, timeout_ns, [&] { return jobs_.empty(); });
  --idle_waiters_;
  return is_idle;
}

void EngineImpl::CloseIntake() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    room_.Close();
    EndWorkersLocked();
  }
}

// Once no job can come any more, threads and processes have nothing to wait for.
void EngineImpl::EndWorkersLocked() {
  if (is_closed_ && jobs_.empty()) workers_.Stop();
}

EngineOptions EngineImpl::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

void EngineImpl::Update(const EngineOptions& options) {
  const EngineOptions sane = WithDefaults(options);
  {
    const std::lock_guard lock(mutex_);
    options_ = sane;
    room_.SetBounds(sane.max_queue, sane.max_queue_bytes);
    concurrency_.limit = sane.max_workers;
  }
  budget_.SetLimit(sane.memory_limit_bytes);
  workers_.SetLimits(LimitsOf(sane));
  timer_.WakeBy(clock_.NowNs());
}

bool EngineImpl::End() {
  CloseIntake();
  CancelAll(/*running_too=*/true);
  WaitIdle(options().shutdown_grace_ns);
  timer_.Stop();
  for (const WorkerInfo& worker : workers_.Workers()) {
    if (worker.task != 0 && !worker.is_stuck) {
      Abandon(worker, Status(StatusCode::kCancelled, "the job was cancelled, and did not stop"));
    }
  }
  workers_.Close();
  const bool is_committed = commits_ == nullptr || commits_->Stop(options().shutdown_grace_ns);
  const bool is_stuck = !is_committed || workers_.stuck_workers() > 0;
  // With the journal closed the next owner need not wait until this process is gone.
  if (is_committed && journal_ != nullptr) (void)journal_->Close();
  return !is_stuck;
}

void EngineDeleter::operator()(Engine* engine) const {
  // A thread that hangs in a library may return at any time, so what it uses must stay.
  if (engine->End()) delete engine;
}

Result<EnginePtr> Engine::Create(const EngineOptions& options, const JournalSetup& journal) {
  if (options.isolate_jobs && access(options.worker_program.c_str(), X_OK) != 0) {
    return ErrnoStatus(StatusCode::kOption, "isolation=\"process\" needs " + options.worker_program,
                       errno);
  }
  EngineParts parts;
  if (!options.cache_folder.empty()) {
    const CacheLimits limits = {.max_entries = options.cache_entries,
                                .max_bytes = options.cache_bytes};
    PIXPRESS_ASSIGN_OR_RETURN(parts.cache, JobCache::Open(options.cache_folder, limits));
  }
  if (!journal.path.empty()) {
    PIXPRESS_ASSIGN_OR_RETURN(parts.journal,
                              JobJournal::Open(journal, options.durable, parts.clock));
  }
  return EnginePtr(new EngineImpl(WithDefaults(options), std::move(parts)));
}

}  // namespace pixpress
