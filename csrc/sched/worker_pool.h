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
#include "sched/task_queue.h"

namespace pixpress {

struct WorkerPoolOptions {
  uint32_t min_workers = 1;
  uint32_t max_workers = 1;
  int64_t idle_timeout_ns = 60 * kNsPerSecond;
  int nice = 10;
  size_t stack_bytes = 2u << 20;
};

// What a task's run says to the pool.
enum class RunOutcome : uint8_t {
  kEnded,    // The task is over.
  kBlocked,  // It does not fit into memory now: queue `entry` again, with its known_bytes.
};

// The pool's owner. Both are called on worker threads (CanRun with the pool's lock held: it must be
// quick and must not call the pool).
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  // Run a popped task to its end. `parallel` lends idle workers while it runs. Must not throw.
  virtual RunOutcome Run(TaskQueue::Entry& entry, uint32_t worker_id, Parallel& parallel) = 0;
  // May this queued task be popped now? Decides by entry.known_bytes.
  virtual bool CanRun(const TaskQueue::Entry& entry) = 0;
};

// Thread-safe. Starts min_workers at once, more up to max_workers when tasks wait and nobody is
// idle; a worker above min_workers that idles for idle_timeout ends. All signals but synchronous
// ones are blocked in workers.
class WorkerPool {
 public:
  // `runner` outlives the pool.
  WorkerPool(const WorkerPoolOptions& options, TaskRunner* runner, const Clock& clock);
  ~WorkerPool();  // Stop() and join.

  void Push(TaskQueue::Entry entry);
  bool Remove(TaskId id);  // False if it is not queued (any more).
  bool SetPriority(TaskId id, Priority priority);
  // Something that CanRun looks at has changed: look at the queue again.
  void Reconsider();
  // Pop nothing more; running tasks end in their own time. Does not block.
  void Stop();

  size_t queued() const;
  uint32_t workers() const;
  uint32_t busy_workers() const;

 private:
  struct State;  // Shared with the threads, so that a late one stays valid.
  std::shared_ptr<State> state_;
};

}  // namespace pixpress
