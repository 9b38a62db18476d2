#pragma once
// Which jobs of a test a worker has looked at.

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/job.h"

namespace pixpress {

// Thread-safe.
class AttemptCounts {
 public:
  // What `attempt`, one of this job, returns.
  template <typename Attempt>
  auto Count(TaskId id, Attempt attempt) {
    Add(id, &Counts::begun);
    auto result = attempt();
    Add(id, &Counts::ended);
    return result;
  }
  // How many of the jobs wait again, after attempts which are over.
  size_t LookedAt(const std::vector<std::shared_ptr<Job>>& jobs) {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::ranges::count_if(jobs, [&](const auto& job) {
      const Counts counts = counts_[job->id];
      return job->state.load() == JobState::kQueued && counts.begun > 0 &&
             counts.begun == counts.ended;
    }));
  }

 private:
  struct Counts {
    int begun = 0;
    int ended = 0;
  };
  void Add(TaskId id, int Counts::*which) {
    const std::lock_guard lock(mutex_);
    ++(counts_[id].*which);
  }

  std::mutex mutex_;  // Guards the next.
  std::map<TaskId, Counts> counts_;
};

}  // namespace pixpress
