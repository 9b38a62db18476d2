#pragma once
// Runs jobs: queue, workers, memory admission, cancellation and events in one object.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/blacklist.h"
#include "engine/config.h"
#include "engine/job.h"
#include "engine/job_journal.h"

namespace pixpress {

enum class EventType : uint8_t {
  kTaskEnded,
  kTaskProgress,
  kTaskRetry,      // `status` failed an attempt; the job waits to be tried again.
  kTaskReleased,   // The worker of an abandoned job has returned: its source is free.
  kWorkerStarted,  // `worker_id`, as in the next two.
  kWorkerEnded,
  kWorkerStuck,    // With the job that it was given up for.
  kMemoryWarning,  // `bytes` are in use, past the threshold, with nothing left to give back.
  kCacheFailed,    // The disk of the cache; `status` says why. Comes once: jobs go on without it.
};

struct Event {
  EventType type = EventType::kTaskEnded;
  std::shared_ptr<Job> job = nullptr;
  Stage stage = Stage::kNone;  // Of progress.
  float fraction = 0.0f;       // Of the whole job, 0 to 1, rising.
  uint32_t worker_id = 0;
  uint64_t bytes = 0;
  int64_t delay_ns = 0;  // Before a retry.
  Status status = {};
};

// Values by name, for those who show or export them.
using NamedNumbers = std::vector<std::pair<std::string, double>>;

// Counters and gauges at one moment.
struct EngineStats {
  uint32_t workers = 0;
  uint32_t busy_workers = 0;
  size_t queued = 0;
  size_t running = 0;
  size_t retrying = 0;
  uint32_t stuck_workers = 0;
  uint64_t submitted = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t dropped_events = 0;
  int journal_errno = 0;  // Why nothing can be written to the journal at the moment.
  size_t memory_limit_bytes = 0;
  size_t reserved_bytes = 0;
  size_t live_bytes = 0;
  size_t retained_bytes = 0;
};

class Engine;

// Cancels whatever is left, waits for running jobs to stop, and joins. Blocks, for at most
// shutdown_grace: what is stuck then keeps the engine's memory for ever.
struct EngineDeleter {
  void operator()(Engine* engine) const;
};
using EnginePtr = std::unique_ptr<Engine, EngineDeleter>;

// Thread-safe. Never calls Python; its threads block all signals.
class Engine {
 public:
  // kJournal and kJournalNotEmpty as of JobJournal; blocks on the disk then.
  static Result<EnginePtr> Create(const EngineOptions& options, const JournalSetup& journal = {});

  // Queue a job. When the queue is full, wait for `block_timeout_ns` (negative: for ever, 0: not at
  // all), then kQueueFull. kPoolClosed after CloseIntake; either leaves `spec` as it was. With
  // `text`, of a file as source, the journal has the job when this returns, or it is kJournal.
  virtual Result<std::shared_ptr<Job>> Submit(JobSpec&& spec, Priority priority,
                                              int64_t block_timeout_ns,
                                              const JournalText* text = nullptr) = 0;
  // Queue a job that the journal has from an earlier owner, once. Its `crashes` count: rows with
  // any must come first, since they run alone, in this order; kMostCrashes end it as kBlacklisted.
  virtual Result<std::shared_ptr<Job>> Resubmit(JobSpec&& spec, const JournalRow& row) = 0;
  // An id for a job that comes later.
  virtual TaskId NewId() = 0;
  // Null without a journal.
  virtual JobJournal* journal() = 0;
  // Ask for the end of a job, for good. True if it ends, or has ended, as cancelled: always before
  // its output appears, never after. A queued job ends at once, a running one at its next poll;
  // both give an event.
  virtual bool Cancel(const std::shared_ptr<Job>& job) = 0;
  // False if the job neither waits in the queue nor for a retry. kJournal if the journal does not
  // keep the priority, which then holds as long as the engine.
  virtual Result<bool> SetPriority(TaskId id, Priority priority) = 0;
  // A job that has not ended; null if there is none of this id.
  virtual std::shared_ptr<Job> Find(TaskId id) = 0;
  // What the job is doing: state, priority, retries, times (on the engine's clock) and sizes.
  virtual NamedNumbers Describe(const Job& job) = 0;

  // Wait up to `timeout_ns` for events and append them. False on time-out.
  virtual bool WaitEvents(int64_t timeout_ns, std::vector<Event>* events) = 0;
  // Make a WaitEvents that is under way, or else the next one, return.
  virtual void WakeEvents() = 0;
  // Wait up to `timeout_ns` for the job's final state. Its event is delivered all the same, but
  // a WaitEvents that is under way may see it only when its time is out.
  virtual bool WaitJob(Job& job, int64_t timeout_ns) = 0;
  // Wait up to `timeout_ns` (negative: for ever) until no job is queued or running.
  virtual bool WaitIdle(int64_t timeout_ns) = 0;

  virtual void CloseIntake() = 0;
  // Cancel all queued jobs, and the running ones too if asked, because the pool is to end: a
  // journal keeps them for its next owner.
  virtual void CancelAll(bool running_too) = 0;
  // Give retained pages back to the OS; returns the bytes.
  virtual size_t Trim() = 0;
  virtual EngineStats Stats() const = 0;
  NamedNumbers Counts() const;  // The same by name.
  // Totals, per worker ("worker.0.processed") and latencies ("stage.decode.p50"), in seconds.
  virtual NamedNumbers Metrics() = 0;
  // What the machine does: CPU, load, memory, disks; see SystemSample. Reads /proc.
  virtual NamedNumbers Health() = 0;
  virtual std::vector<BlacklistedInput> Blacklisted() const = 0;
  // Forget the entries of this name, all if it is empty; returns how many. kJournal if the journal
  // does not forget them.
  virtual Result<size_t> ClearBlacklist(const std::string& name) = 0;

  virtual EngineOptions options() const = 0;
  // Take over everything that can change while jobs run: workers, time-outs, memory, thresholds and
  // retries. Running jobs keep their time-outs.
  virtual void Update(const EngineOptions& options) = 0;
  // Progress is reported only while somebody wants it.
  virtual void WantProgress(bool is_wanted) = 0;
  // Do what is due by the clock: retries, queue time-outs, stuck workers, samples. The engine's own
  // thread calls this in time; returns when the next is due (kNeverNs: nothing is).
  virtual int64_t Tick() = 0;

 protected:
  friend struct EngineDeleter;
  virtual ~Engine() = default;
  // False if something is stuck and still uses the engine.
  virtual bool End() = 0;
};

}  // namespace pixpress
