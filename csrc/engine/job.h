#pragma once
// One submitted job: its request, its state, and its outcome.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/status.h"
#include "base/stop_token.h"
#include "engine/cache_key.h"
#include "memory/budget.h"
#include "memory/meter.h"
#include "pipeline/job_spec.h"
#include "pipeline/output_name.h"
#include "sched/task_queue.h"
#include "store/journal_record.h"

namespace pixpress {

enum class JobState : uint8_t { kQueued, kRunning, kDone, kFailed, kCancelled };

// Who came first: the worker that makes the output appear, or the caller who cancels.
// kPutOff: cancelled because the engine ends, so that a journal keeps the job for the next one.
// kAbandoned: the job was reported as timed out while its worker still hangs.
enum class CommitState : uint8_t { kOpen, kCommitted, kCancelled, kPutOff, kAbandoned };

// Shared by the queue, the worker that runs it, the undelivered event and the caller's handle.
// Everything but the atomics is written by the engine only, and read by others only after the state
// is final.
class Job {
 public:
  Job(TaskId id, JobSpec spec, std::shared_ptr<BufferPool> buffers)
      : id(id), spec(std::move(spec)), buffers(std::move(buffers)), meter(*this->buffers) {}

  // The output file as far as it is known: in full once RunPlan has made `result`. Empty: the
  // result is kept in memory.
  std::string OutputPath() const { return OutputName(spec.output_path, result.format); }

  const TaskId id;
  const JobSpec spec;
  std::atomic<JobState> state{JobState::kQueued};

  std::shared_ptr<BufferPool> buffers;  // Shared with the engine, which the result may outlive.
  Meter meter;  // Charged for the chunks of `result.data`, so it is destroyed after them.

  // Final once `state` is: the outcome.
  Status status;
  JobResult result;
  int32_t worker_id = -1;
  uint32_t attempts = 0;
  uint32_t retries = 0;
  bool is_abandoned = false;             // Its worker may still read the source.
  bool is_from_cache = false;            // `result` is another job's.
  uint64_t input_bytes = 0;              // Encoded, as known at submission.
  std::optional<FileIdentity> identity;  // Of a file that was there at submission.
  int64_t submit_time_ns = 0;
  int64_t start_time_ns = 0;
  int64_t end_time_ns = 0;

  // The engine's.
  TaskKey key;
  int64_t queued_since_ns = 0;
  int64_t waited_ns = 0;     // In the queue, without delays of retries.
  int64_t queue_due_ns = 0;  // When its queue_timeout is over; 0: never.
  int64_t retry_due_ns = 0;  // Non-zero while it waits to be tried again.
  bool is_journalled = false;
  bool is_ending = false;               // Its outcome is decided, and on its way to the caller.
  uint32_t crashes = 0;                 // Processes that died while it ran.
  std::optional<BlacklistEntry> blame;  // What its end adds to the blacklist.
  std::optional<CacheKey> cache_key;    // Of the present attempt, if there is a cache.
  std::optional<Sha256Digest> content;  // Of a source in memory, once its key was made.
  bool is_shared = false;               // Its result is in the cache.
  bool flies_alone = false;             // Of identical jobs in flight, since one has failed.
  StopSource stop;
  uint32_t waiters = 0;                                 // Threads in Engine::WaitJob for it.
  std::atomic<CommitState> commit{CommitState::kOpen};  // Leaves kOpen once.
};

using JobPtr = std::shared_ptr<Job>;

}  // namespace pixpress
