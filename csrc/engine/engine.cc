#include "engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/file.h"
#include "engine/job_progress.h"
#include "engine/worker.h"
#include "memory/budget.h"
#include "memory/buffer.h"
#include "observe/event_queue.h"
#include "sched/worker_pool.h"

namespace pixpress {
namespace {

// What a job is charged before its header was read.
constexpr uint64_t kProbeBytes = 1u << 20;
// A job that others overtook this often, or for this long, gets the claim on freed memory.
constexpr uint32_t kMostOvertakes = 16;
constexpr int64_t kMostBlockedNs = 2 * kNsPerSecond;

WorkerPoolOptions PoolOptions(const EngineOptions& options) {
  WorkerPoolOptions pool;
  pool.min_workers = options.min_workers;
  pool.max_workers = options.max_workers;
  pool.idle_timeout_ns = options.idle_timeout_ns;
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

class EngineImpl final : public Engine, public TaskRunner {
 public:
  explicit EngineImpl(const EngineOptions& options)
      : options_(options),
        buffers_(std::make_shared<BufferPool>(options.memory_limit_bytes)),
        budget_(options.memory_limit_bytes),
        events_(options.max_events),
        workers_(PoolOptions(options), this, Clock::System()) {
    budget_.SetOnFreed([this] { workers_.Reconsider(); });
  }

  ~EngineImpl() override {
    CloseIntake();
    CancelAll(/*running_too=*/true);
    WaitIdle(-1);
  }

  Result<std::shared_ptr<Job>> Submit(JobSpec&& spec, Priority priority,
                                      int64_t block_timeout_ns) override;
  bool Cancel(const std::shared_ptr<Job>& job) override;
  bool SetPriority(TaskId id, Priority priority) override {
    return workers_.SetPriority(id, priority);
  }

  bool WaitEvents(int64_t timeout_ns, std::vector<Event>* events) override {
    return events_.Wait(timeout_ns, events);
  }
  void WakeEvents() override { events_.Wake(); }
  bool WaitJob(Job& job, int64_t timeout_ns) override;
  bool WaitIdle(int64_t timeout_ns) override;

  void CloseIntake() override;
  void CancelAll(bool running_too) override;
  size_t Trim() override { return buffers_->Trim(0); }
  EngineStats Stats() const override;

  RunOutcome Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) override;
  bool CanRun(const TaskQueue::Entry& entry) override;

 private:
  struct Counters {
    uint64_t submitted = 0;
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    uint64_t cancelled = 0;
  };

  bool HasRoomLocked(uint64_t input_bytes) const;
  std::shared_ptr<Job> Start(TaskId id, uint32_t worker_id);
  Attempt RunAttempt(const std::shared_ptr<Job>& job, Parallel& parallel);
  RunOutcome Block(const std::shared_ptr<Job>& job, uint64_t needed_bytes, TaskQueue::Entry* entry);
  void End(const std::shared_ptr<Job>& job, Status status);
  void LeaveQueueLocked(const Job& job);

  const EngineOptions options_;
  const std::shared_ptr<BufferPool> buffers_;  // Shared with jobs: results outlive the engine.
  MemoryBudget budget_;
  EventQueue<Event> events_;

  mutable std::mutex mutex_;       // Guards all below; taken before the pool's own lock.
  std::condition_variable room_;   // The queue became shorter, or the intake was closed.
  std::condition_variable ended_;  // A job reached its final state.
  std::unordered_map<TaskId, std::shared_ptr<Job>> jobs_;  // Queued and running.
  TaskId next_id_ = 1;
  size_t queued_ = 0;
  uint64_t queued_bytes_ = 0;
  uint32_t room_waiters_ = 0;
  uint32_t idle_waiters_ = 0;
  bool is_closed_ = false;
  Counters counters_;

  WorkerPool workers_;  // Last: its threads use everything above.
};

bool EngineImpl::HasRoomLocked(uint64_t input_bytes) const {
  if (options_.max_queue != 0 && queued_ >= options_.max_queue) return false;
  // A single input larger than the bound still goes in, alone.
  return options_.max_queue_bytes == 0 || queued_ == 0 ||
         queued_bytes_ + input_bytes <= options_.max_queue_bytes;
}

Result<std::shared_ptr<Job>> EngineImpl::Submit(JobSpec&& spec, Priority priority,
                                                int64_t block_timeout_ns) {
  uint64_t input_bytes = spec.source.bytes.size();
  if (spec.source.kind == Source::Kind::kFile) {
    // A missing file is the job's failure, not the submission's.
    const auto identity = IdentifyFile(spec.source.name);
    input_bytes = identity.ok() ? identity.value().size_bytes : 0;
  }
  TaskQueue::Entry entry;
  entry.key = {.priority = priority,
               .is_small = input_bytes < kSmallInputBytes,
               .retries = 0,
               .submit_time_ns = Clock::System().NowNs()};
  std::shared_ptr<Job> job;
  {
    std::unique_lock lock(mutex_);
    ++room_waiters_;
    const bool has_room = WaitFor(room_, lock, block_timeout_ns,
                                  [&] { return is_closed_ || HasRoomLocked(input_bytes); });
    --room_waiters_;
    if (is_closed_) return Status(StatusCode::kPoolClosed, "the pool takes no more jobs");
    if (!has_room) {
      return Status(StatusCode::kQueueFull,
                    "the queue holds " + std::to_string(queued_) + " jobs already");
    }
    entry.id = next_id_++;
    job = std::make_shared<Job>(entry.id, std::move(spec), buffers_);
    job->submit_time_ns = entry.key.submit_time_ns;
    job->input_bytes = input_bytes;
    jobs_.emplace(entry.id, job);
    ++queued_;
    queued_bytes_ += input_bytes;
    ++counters_.submitted;
  }
  workers_.Push(std::move(entry));
  return job;
}

void EngineImpl::LeaveQueueLocked(const Job& job) {
  --queued_;
  queued_bytes_ -= job.input_bytes;
  if (room_waiters_ > 0) room_.notify_all();
}

bool EngineImpl::Cancel(const std::shared_ptr<Job>& job) {
  CommitState open = CommitState::kOpen;
  if (!job->commit.compare_exchange_strong(open, CommitState::kCancelled)) {
    return open == CommitState::kCancelled;
  }
  job->stop.RequestStop(StopReason::kCancelled);
  if (workers_.Remove(job->id)) {
    End(job, Status(StatusCode::kCancelled, "the job was cancelled"));
  }
  return true;
}

bool EngineImpl::CanRun(const TaskQueue::Entry& entry) {
  if (entry.known_bytes == 0) return budget_.Fits(entry.id, kProbeBytes);
  if (budget_.Fits(entry.id, entry.known_bytes)) return true;
  const int64_t blocked_ns = Clock::System().NowNs() - entry.blocked_since_ns;
  if (entry.overtaken >= kMostOvertakes || blocked_ns >= kMostBlockedNs) {
    budget_.Claim(entry.id, entry.known_bytes);
  }
  return false;
}

std::shared_ptr<Job> EngineImpl::Start(TaskId id, uint32_t worker_id) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<Job> job = jobs_.at(id);
  job->state.store(JobState::kRunning);
  job->worker_id = static_cast<int32_t>(worker_id);
  job->start_time_ns = Clock::System().NowNs();
  LeaveQueueLocked(*job);
  return job;
}

Attempt EngineImpl::RunAttempt(const std::shared_ptr<Job>& job, Parallel& parallel) {
  const int64_t waited_ns = job->start_time_ns - job->submit_time_ns;
  if (options_.queue_timeout_ns != 0 && waited_ns > options_.queue_timeout_ns) {
    Attempt late;
    late.status = Status(StatusCode::kQueueTimeout,
                         "the job waited " + std::to_string(waited_ns / kNsPerMs) + " ms");
    late.status = std::move(late.status).At(Stage::kQueue);
    return late;
  }
  if (options_.task_timeout_ns != 0) {
    job->stop.SetDeadline(&Clock::System(), job->start_time_ns + options_.task_timeout_ns);
  }
  JobProgress progress(Clock::System(), [&](Stage stage, float fraction) {
    events_.PushDroppable(
        {.type = EventType::kTaskProgress, .job = job, .stage = stage, .fraction = fraction});
  });
  const AttemptContext context{.budget = budget_,
                               .parallel = parallel,
                               .progress = &progress,
                               .worker_memory_limit_bytes = options_.worker_memory_limit_bytes,
                               .durable = options_.durable};
  return AttemptJob(*job, context);
}

RunOutcome EngineImpl::Block(const std::shared_ptr<Job>& job, uint64_t needed_bytes,
                             TaskQueue::Entry* entry) {
  {
    const std::lock_guard lock(mutex_);
    job->state.store(JobState::kQueued);
    ++queued_;
    queued_bytes_ += job->input_bytes;
  }
  entry->known_bytes = needed_bytes;
  if (entry->blocked_since_ns == 0) entry->blocked_since_ns = Clock::System().NowNs();
  return RunOutcome::kBlocked;
}

RunOutcome EngineImpl::Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) {
  const std::shared_ptr<Job> job = Start(entry.id, worker_id);
  Attempt attempt = RunAttempt(job, parallel);
  if (attempt.outcome == AttemptOutcome::kBlocked) {
    if (job->commit.load() == CommitState::kOpen) return Block(job, attempt.needed_bytes, &entry);
    attempt.status = Status(StatusCode::kCancelled, "the job was cancelled");
  }
  ++job->attempts;
  End(job, std::move(attempt.status));
  return RunOutcome::kEnded;
}

void EngineImpl::End(const std::shared_ptr<Job>& job, Status status) {
  budget_.Unclaim(job->id);
  // A failure that a cancel overtook is a cancel: its caller was told so.
  CommitState open = CommitState::kOpen;
  const bool is_cancelled = !job->commit.compare_exchange_strong(open, CommitState::kCommitted) &&
                            open == CommitState::kCancelled;
  bool has_waiters = false;
  {
    const std::lock_guard lock(mutex_);
    if (job->state.load() == JobState::kQueued) LeaveQueueLocked(*job);
    job->end_time_ns = Clock::System().NowNs();
    job->status = std::move(status);
    if (is_cancelled) job->result.data.reset();
    const JobState state = is_cancelled       ? JobState::kCancelled
                           : job->status.ok() ? JobState::kDone
                                              : JobState::kFailed;
    ++(is_cancelled       ? counters_.cancelled
       : job->status.ok() ? counters_.succeeded
                          : counters_.failed);
    if (state != JobState::kDone) job->result.data.reset();
    job->state.store(state);
    jobs_.erase(job->id);
    Event event{.type = EventType::kTaskEnded, .job = job, .stage = {}, .fraction = 1.0f};
    // A thread that waits for this very job sees its end without the reader of the events.
    job->waiters > 0 ? events_.PushSilently(std::move(event))
                     : events_.PushAlways(std::move(event));
    has_waiters = job->waiters > 0 || (idle_waiters_ > 0 && jobs_.empty());
  }
  if (has_waiters) ended_.notify_all();
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
  }
  room_.notify_all();
}

void EngineImpl::CancelAll(bool running_too) {
  std::vector<std::shared_ptr<Job>> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, job] : jobs_) {
      if (running_too || job->state.load() == JobState::kQueued) targets.push_back(job);
    }
  }
  for (const auto& job : targets) Cancel(job);
}

EngineStats EngineImpl::Stats() const {
  EngineStats stats;
  stats.workers = workers_.workers();
  stats.busy_workers = workers_.busy_workers();
  stats.dropped_events = events_.dropped();
  stats.memory_limit_bytes = budget_.limit_bytes();
  stats.reserved_bytes = budget_.used_bytes();
  stats.live_bytes = buffers_->live_bytes();
  stats.retained_bytes = buffers_->retained_bytes();
  const std::lock_guard lock(mutex_);
  stats.queued = queued_;
  stats.running = jobs_.size() - queued_;
  stats.submitted = counters_.submitted;
  stats.succeeded = counters_.succeeded;
  stats.failed = counters_.failed;
  stats.cancelled = counters_.cancelled;
  return stats;
}

EngineOptions WithDefaults(EngineOptions options) {
  constexpr uint64_t kDefaultLimitBytes = uint64_t{4} << 30;
  constexpr uint64_t kBytesPerWorker = 50u << 20;
  if (options.memory_limit_bytes == 0) {
    options.memory_limit_bytes = static_cast<size_t>(
        std::min<double>(kDefaultLimitBytes, 0.6 * static_cast<double>(AllowedMemoryBytes())));
  }
  if (options.max_workers == 0) {
    const uint64_t by_memory = std::max<uint64_t>(1, AllowedMemoryBytes() / kBytesPerWorker);
    options.max_workers = static_cast<uint32_t>(std::min<uint64_t>(AllowedCpus(), by_memory));
  }
  options.min_workers = std::clamp<uint32_t>(options.min_workers, 1, options.max_workers);
  return options;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Create(const EngineOptions& options) {
  return std::unique_ptr<Engine>(std::make_unique<EngineImpl>(WithDefaults(options)));
}

}  // namespace pixpress
