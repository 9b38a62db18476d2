#pragma once
// The engine itself. Private to engine*.cc, and to tests that bring their own clock and attempts.

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "engine/batch_slots.h"
#include "engine/commit_thread.h"
#include "engine/engine.h"
#include "engine/engine_parts.h"
#include "engine/queue_room.h"
#include "engine/runners.h"
#include "engine/suspects.h"
#include "engine/timer_thread.h"
#include "memory/budget.h"
#include "memory/buffer.h"
#include "observe/event_queue.h"
#include "observe/metrics.h"
#include "observe/system_monitor.h"
#include "sched/autoscaler.h"
#include "sched/retry_policy.h"
#include "sched/worker_pool.h"
#include "store/single_flight.h"

namespace pixpress {
class EngineImpl final : public Engine, public TaskRunner {
 public:
  EngineImpl(const EngineOptions& options, EngineParts parts);

  Result<std::shared_ptr<Job>> Submit(JobSpec&& spec, Priority priority, int64_t block_timeout_ns,
                                      const JournalText* text) override;
  Result<std::shared_ptr<Job>> Resubmit(JobSpec&& spec, const JournalRow& row) override;
  TaskId NewId() override;
  JobJournal* journal() override { return journal_; }
  bool Cancel(const std::shared_ptr<Job>& job) override;
  Result<bool> SetPriority(TaskId id, Priority priority) override;
  std::shared_ptr<Job> Find(TaskId id) override;
  NamedNumbers Describe(const Job& job) override;
  bool WaitEvents(int64_t timeout_ns, std::vector<Event>* events) override;
  void WakeEvents() override { events_.Wake(); }
  bool WaitJob(Job& job, int64_t timeout_ns) override;
  bool WaitIdle(int64_t timeout_ns) override;
  void CloseIntake() override;
  void CancelAll(bool running_too) override;
  size_t Trim() override { return buffers_->Trim(0); }
  EngineStats Stats() const override;
  NamedNumbers Metrics() override;
  NamedNumbers Health() override;
  std::vector<BlacklistedInput> Blacklisted() const override { return blacklist_.List(); }
  Result<size_t> ClearBlacklist(const std::string& name) override;
  EngineOptions options() const override;
  void Update(const EngineOptions& options) override;
  void WantProgress(bool is_wanted) override { is_progress_wanted_.store(is_wanted); }
  int64_t Tick() override;

  RunOutcome Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) override;
  bool CanRun(const TaskQueue::Entry& entry) override;
  bool MayStart(uint32_t workers, size_t waiting, const ScaleLimits& limits) override;
  void OnWorkerStarted(uint32_t worker_id) override;
  void OnWorkerEnded(uint32_t worker_id) override;

 private:
  bool End() override;
  // Submission and the queue (engine.cc).
  JobPtr AdmitLocked(TaskId id, JobSpec&& spec, Priority priority,
                     const std::optional<FileIdentity>& identity, int64_t submit_time_ns);
  std::optional<TaskQueue::Entry> ReadyLocked(const Job& job);
  bool RemoveQueued(TaskId id);
  bool CancelAs(const JobPtr& job, CommitState how);
  void EnterQueueLocked(Job& job, int64_t now_ns);
  void LeaveQueueLocked(Job& job, int64_t now_ns);
  bool TakeFromRetriesLocked(Job& job);
  void EndWorkersLocked();

  // One attempt, and what follows from it (engine_run.cc, engine_cache.cc).
  Taken Take(TaskId id, uint32_t worker_id);
  bool JoinFlight(Job& job);
  void LeaveFlightLocked(Job& job, bool others_fly_alone);
  Attempt RunAttempt(const Taken& taken, uint64_t known_bytes, Parallel& parallel);
  bool Block(const JobPtr& job, uint64_t needed_bytes, TaskQueue::Entry* entry);
  bool RetryLater(const Taken& taken, const Status& status);
  void NoteBadInput(const Taken& taken, const Status& status);
  void ClearSuspectLocked(TaskId id);
  void EndJob(const JobPtr& job, Status status);
  Ending Decide(const JobPtr& job, Status status);
  void Finish(Ending& ending);
  void PublishEndLocked(const JobPtr& job, bool has_run);

  // The journal, and what is durable (engine_journal.cc).
  Status Withdraw(const JobPtr& job, Status status);
  void Blame(Job& job, const std::optional<FileIdentity>& identity, const Status& status,
             uint32_t needed);
  void CommitGroup(std::vector<Ending> group);
  int64_t ResumeJournal();

  // What the clock brings (engine_tick.cc).
  int64_t RequeueRetriesLocked(int64_t now_ns);
  int64_t ExpireQueued(int64_t now_ns);
  int64_t AbandonStuck(int64_t now_ns);
  bool Abandon(const WorkerInfo& worker, Status status);
  int64_t SampleMachine(int64_t now_ns);
  void CheckMemory();

  const EngineParts parts_;
  const Clock& clock_;
  JobJournal* const journal_;                  // Of parts_; null without one.
  JobCache* const cache_;                      // Of results; the same.
  const std::shared_ptr<BufferPool> buffers_;  // Shared with jobs: results outlive the engine.
  MemoryBudget budget_;
  EventQueue<Event> events_;
  Blacklist blacklist_;
  Runners runners_;
  pixpress::Metrics metrics_;
  SystemMonitor monitor_;
  std::atomic<int64_t> cpu_sampled_ns_{0}, health_checked_ns_{0};
  std::atomic<double> cpu_percent_{0.0};
  std::atomic<bool> is_memory_warned_{false}, is_progress_wanted_{false};

  std::mutex priority_mutex_;  // Taken first: the journal hears of priorities as they were set.
  mutable std::mutex mutex_;   // Guards all below; taken before the pool's own lock.
  EngineOptions options_;
  Concurrency concurrency_;
  QueueRoom room_;
  std::condition_variable ended_;                    // A job has ended.
  std::unordered_map<TaskId, JobPtr> jobs_;          // All that have not ended.
  std::multimap<int64_t, JobPtr> retries_;           // By when they are due; they hold no worker.
  std::set<std::pair<int64_t, TaskId>> queue_ends_;  // When queue_timeout is over for whom.
  BatchSlots batch_slots_;
  Suspects suspects_;
  SingleFlight flights_;
  TaskId next_id_ = 1;
  uint32_t idle_waiters_ = 0;
  bool is_closed_ = false;
  uint64_t submitted_ = 0, succeeded_ = 0, failed_ = 0, cancelled_ = 0;
  RetryBudget retry_budget_;
  Jitter jitter_;

  // Last, since their threads use everything above. The first one is null if ends need no disk.
  std::unique_ptr<CommitThread> commits_;
  WorkerPool workers_;
  TimerThread timer_;
};

}  // namespace pixpress
