#pragma once
// Threads that pop tasks from a queue and run them. Tasks are opaque: a number and a key.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/parallel.h"
#include "sched/autoscaler.h"
#include "sched/task_queue.h"

namespace pixpress {

struct WorkerPoolOptions {
  ScaleLimits scale;
  int nice = 10;
  size_t stack_bytes = 2u << 20;
};

// What a task's run says to the pool.
enum class RunOutcome : uint8_t {
  kEnded,    // The task is over.
  kBlocked,  // It does not fit into memory now: queue `entry` again, with its known_bytes.
};

// One worker at one moment.
struct WorkerInfo {
  uint32_t id = 0;
  bool is_stuck = false;
  TaskId task = 0;            // That it runs; 0: none.
  int64_t task_since_ns = 0;  // When it began with that.
  int64_t started_ns = 0;
  int64_t cpu_ns = 0;  // By the thread's own clock.
};

// The pool's owner, called on worker threads and, for the two questions, on those of callers too.
// The questions come with the pool's lock held: they must be quick and must not call the pool.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  // Run a popped task to its end. `parallel` lends idle workers while it runs. Must not throw.
  virtual RunOutcome Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) = 0;
  // May this queued task be popped now? Decides by entry.known_bytes.
  virtual bool CanRun(const TaskQueue::Entry& entry) = 0;
  // May one more worker start, with `waiting` reasons for it? Asked only below the maximum.
  virtual bool MayStart(uint32_t workers, size_t waiting, const ScaleLimits& limits) {
    return workers < limits.min_workers || waiting > 0;
  }
  virtual void OnWorkerStarted(uint32_t /*worker_id*/) {}
  // Not called for a worker that was stuck.
  virtual void OnWorkerEnded(uint32_t /*worker_id*/) {}
};

// Thread-safe. Starts min_workers at once, more up to max_workers when tasks wait, nobody is idle
// and the runner allows it; a worker above min_workers that idles for idle_timeout ends. All
// signals but synchronous ones are blocked in workers.
class WorkerPool {
 public:
  // `runner` outlives the pool, and its threads that are stuck.
  WorkerPool(const WorkerPoolOptions& options, TaskRunner* runner, const Clock& clock);
  ~WorkerPool();  // Close().

  void Push(TaskQueue::Entry entry);
  bool Remove(TaskId id);  // False if it is not queued (any more).
  bool SetPriority(TaskId id, Priority priority);
  // Something that CanRun looks at has changed: look at the queue again.
  void Reconsider();
  // Give up on a worker that does not return from `task`: it is no longer counted, another may take
  // its place, and it ends by itself should it ever return. False if it runs that task no more.
  bool Abandon(uint32_t worker_id, TaskId task);
  // New limits; workers start and end accordingly.
  void SetLimits(const ScaleLimits& limits);
  // How many workers may run tasks at the same time; the rest helps, or idles.
  void SetConcurrency(uint32_t limit);
  // Pop nothing more; running tasks end in their own time. Does not block.
  void Stop();
  // Stop, and join all but stuck workers. Blocks until running tasks end.
  void Close();

  size_t queued() const;
  uint32_t workers() const;
  uint32_t busy_workers() const;
  uint32_t stuck_workers() const;
  std::vector<WorkerInfo> Workers() const;

 private:
  struct State;  // Shared with the threads, so that a late one stays valid.
  std::shared_ptr<State> state_;
};

}  // namespace pixpress
