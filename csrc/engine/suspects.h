#pragma once
// Jobs that were running when a process died: each runs alone, so that a second crash has one name.

#include <deque>
#include <set>
#include <vector>

#include "sched/task_queue.h"

namespace pixpress {

// How many processes may die while a file is worked on before it is blacklisted.
inline constexpr uint32_t kMostCrashes = 2;

// Not thread-safe; its owner locks. Knows ids only. Those that run in processes of their own need
// not be alone, and are none of these.
class Suspects {
 public:
  // This job runs alone, after those that were added before it.
  void Add(TaskId id) { suspects_.push_back(id); }
  // Whether the job may be queued now. If not, it is to be held.
  bool MayRun(TaskId id) const { return suspects_.empty() || suspects_.front() == id; }
  void Hold(TaskId id) { held_.insert(id); }
  // The job ends without having run. False if it is not held.
  bool Drop(TaskId id);
  // The job has run, or will not: nothing if it was no suspect. Whom to queue now.
  std::vector<TaskId> Clear(TaskId id);

 private:
  std::deque<TaskId> suspects_;
  std::set<TaskId> held_;
};

}  // namespace pixpress
