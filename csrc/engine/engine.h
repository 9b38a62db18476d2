#pragma once
// Runs jobs: queue, workers, memory admission, cancellation and events in one object.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/job.h"

namespace pixpress {

enum class EventType : uint8_t { kTaskEnded, kTaskProgress };

struct Event {
  EventType type = EventType::kTaskEnded;
  std::shared_ptr<Job> job;
  Stage stage = Stage::kNone;  // Of progress.
  float fraction = 0.0f;       // Of the whole job, 0 to 1, rising.
};

// Counters and gauges at one moment.
struct EngineStats {
  uint32_t workers = 0;
  uint32_t busy_workers = 0;
  size_t queued = 0;
  size_t running = 0;
  uint64_t submitted = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t dropped_events = 0;
  size_t memory_limit_bytes = 0;
  size_t reserved_bytes = 0;
  size_t live_bytes = 0;
  size_t retained_bytes = 0;
};

// Thread-safe. Never calls Python; its threads block all signals.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Create(const EngineOptions& options);
  // Cancels whatever is left, waits for running jobs to stop, and joins. Blocks.
  virtual ~Engine() = default;

  // Queue a job. When the queue is full, wait for `block_timeout_ns` (negative: for ever, 0: not at
  // all), then kQueueFull. kPoolClosed after CloseIntake. `spec` is taken only by success.
  virtual Result<std::shared_ptr<Job>> Submit(JobSpec&& spec, Priority priority,
                                              int64_t block_timeout_ns) = 0;
  // Ask for the end of a job. True if it ends, or has ended, as cancelled: always before its output
  // appears, never after. A queued job ends at once, a running one at its next poll; both give an
  // event.
  virtual bool Cancel(const std::shared_ptr<Job>& job) = 0;
  // False if the job is not queued any more.
  virtual bool SetPriority(TaskId id, Priority priority) = 0;

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
  // Cancel all queued jobs, and the running ones too if asked.
  virtual void CancelAll(bool running_too) = 0;
  // Give retained pages back to the OS; returns the bytes.
  virtual size_t Trim() = 0;
  virtual EngineStats Stats() const = 0;
};

}  // namespace pixpress
