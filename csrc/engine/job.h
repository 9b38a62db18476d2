#pragma once
// One submitted job: its request, its state, and its outcome.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"
#include "base/stop_token.h"
#include "memory/budget.h"
#include "memory/meter.h"
#include "pipeline/job_spec.h"
#include "sched/task_queue.h"

namespace pixpress {

enum class JobState : uint8_t { kQueued, kRunning, kDone, kFailed, kCancelled };

// Shared by the queue, the worker that runs it, the undelivered event and the caller's handle.
// Everything but the atomics is written by the engine only, and read by others only after the state
// is final.
class Job {
 public:
  Job(TaskId id, JobSpec spec, BufferPool& pool) : id(id), spec(std::move(spec)), meter(pool) {}

  const TaskId id;
  const JobSpec spec;
  std::atomic<JobState> state{JobState::kQueued};

  Meter meter;  // Charged for the chunks of `result.data`, so it is destroyed after them.

  // Final once `state` is: the outcome.
  Status status;
  JobResult result;
  int32_t worker_id = -1;
  uint32_t attempts = 0;
  int64_t submit_time_ns = 0;
  int64_t start_time_ns = 0;
  int64_t end_time_ns = 0;

  // The engine's.
  StopSource stop;
  std::atomic<bool> output_committed{false};  // After the rename cancel() is too late.
};

}  // namespace pixpress
