// What the clock brings: retries, time-outs of waiting jobs, stuck workers, samples of the machine.

#include <algorithm>
#include <string>

#include "engine/engine_impl.h"

namespace pixpress {
namespace {

constexpr int64_t kSampleNs = kNsPerSecond;

}  // namespace

int64_t EngineImpl::RequeueRetriesLocked(int64_t now_ns) {
  while (!retries_.empty() && retries_.begin()->first <= now_ns) {
    const JobPtr job = retries_.begin()->second;
    retries_.erase(retries_.begin());
    job->retry_due_ns = 0;
    EnterQueueLocked(*job, now_ns);
    if (const auto entry = ReadyLocked(*job)) workers_.Push(*entry);
  }
  return retries_.empty() ? kNeverNs : retries_.begin()->first;
}

int64_t EngineImpl::ExpireQueued(int64_t now_ns) {
  std::vector<JobPtr> late;
  int64_t next_ns = kNeverNs;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [due_ns, id] : queue_ends_) {
      if (due_ns > now_ns) {
        next_ns = due_ns;
        break;
      }
      late.push_back(jobs_.at(id));
    }
  }
  for (const JobPtr& job : late) {
    // A worker may be taking it at this moment; then it sees the same by itself.
    if (!RemoveQueued(job->id)) continue;
    EndJob(job, Status(StatusCode::kQueueTimeout,
                       "the job waited longer than queue_timeout: " +
                           std::to_string((now_ns - job->submit_time_ns) / kNsPerMs) + " ms")
                    .At(Stage::kQueue));
  }
  return next_ns;
}

// Give up on a worker, and end its job with `status`.
bool EngineImpl::Abandon(const WorkerInfo& worker, Status status) {
  const JobPtr job = Find(worker.task);
  if (job == nullptr || !workers_.Abandon(worker.id, worker.task)) return false;
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = job->state.load() == JobState::kQueued;  // By now.
    job->is_abandoned = job->state.load() == JobState::kRunning;
    job->stop.RequestStop(StopReason::kTimedOut);
    CommitState open = CommitState::kOpen;
    job->commit.compare_exchange_strong(open, CommitState::kAbandoned);
  }
  if (waits) RemoveQueued(job->id);  // What it waits for must not call it any more.
  events_.PushAlways({.type = EventType::kWorkerStuck, .job = job, .worker_id = worker.id});
  EndJob(job, std::move(status));
  return true;
}

int64_t EngineImpl::AbandonStuck(int64_t now_ns) {
  const EngineOptions now = options();
  if (now.task_timeout_ns == 0) return kNeverNs;
  const int64_t most_ns = now.task_timeout_ns + now.stuck_grace_ns;
  int64_t next_ns = kNeverNs;
  for (const WorkerInfo& worker : workers_.Workers()) {
    if (worker.task == 0 || worker.is_stuck) continue;
    if (now_ns - worker.task_since_ns < most_ns) {
      next_ns = std::min(next_ns, worker.task_since_ns + most_ns);
      continue;
    }
    Abandon(worker, Status(StatusCode::kTaskTimeout,
                           "the job ran longer than task_timeout and did not stop; worker " +
                               std::to_string(worker.id) + " is stuck"));
  }
  return next_ns;
}

// At the threshold, give free pages back to the system, then look again.
void EngineImpl::CheckMemory() {
  const auto limit = static_cast<double>(budget_.limit_bytes());
  const EngineOptions now = options();
  const auto threshold = static_cast<size_t>(limit * now.gc_threshold_percent / 100.0);
  const size_t live_bytes = buffers_->live_bytes();
  if (live_bytes + buffers_->retained_bytes() >= threshold) buffers_->Trim(0);
  if (live_bytes < threshold) {
    is_memory_warned_.store(false);
  } else if (!is_memory_warned_.exchange(true)) {
    events_.PushAlways({.type = EventType::kMemoryWarning, .bytes = live_bytes});
  }
}

int64_t EngineImpl::SampleMachine(int64_t now_ns) {
  const SystemSample sample = monitor_.Sample(now_ns, AllowedMemoryBytes(), FreeMemoryBytes());
  cpu_percent_.store(sample.cpu_percent);
  cpu_sampled_ns_.store(sample.sampled_ns);
  CheckMemory();
  uint32_t concurrency = 0;
  {
    const std::lock_guard lock(mutex_);
    const uint32_t before = concurrency_.limit;
    const double total = std::max(1.0, static_cast<double>(sample.memory_total_bytes));
    const PressureSample pressure{
        .other_cpu_percent = std::max(0.0, sample.cpu_percent - sample.own_cpu_percent),
        .memory_free_percent = 100.0 * static_cast<double>(sample.memory_available_bytes) / total};
    const ScaleLimits limits{.min_workers = options_.min_workers,
                             .max_workers = options_.max_workers,
                             .idle_timeout_ns = options_.idle_timeout_ns,
                             .cpu_threshold_percent = options_.cpu_threshold_percent};
    if (!options_.adaptive_concurrency) concurrency_.limit = options_.max_workers;
    if (options_.adaptive_concurrency) {
      concurrency_ = NextConcurrency(concurrency_, pressure, limits, now_ns);
    }
    if (concurrency_.limit != before) concurrency = concurrency_.limit;
  }
  if (concurrency != 0) workers_.SetConcurrency(concurrency);
  workers_.Reconsider();  // What kept a worker from starting may be over.
  return now_ns + kSampleNs;
}

int64_t EngineImpl::Tick() {
  const int64_t now_ns = clock_.NowNs();
  int64_t next_ns = kNeverNs;
  bool has_jobs = false;
  {
    const std::lock_guard lock(mutex_);
    next_ns = RequeueRetriesLocked(now_ns);
    has_jobs = !jobs_.empty();
  }
  next_ns = std::min(next_ns, ExpireQueued(now_ns));
  next_ns = std::min(next_ns, AbandonStuck(now_ns));
  next_ns = std::min(next_ns, ResumeJournal());
  if (has_jobs) {
    next_ns = std::min(next_ns, SampleMachine(now_ns));
  } else {
    CheckMemory();  // Once, for what came back since: an engine without jobs needs no clock.
  }
  health_checked_ns_.store(now_ns);
  return next_ns;
}

}  // namespace pixpress
