#pragma once
// What an engine remembers of its jobs: their results on disk, by all that these depend on.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "engine/job.h"
#include "store/result_cache.h"

namespace pixpress {

struct JobCacheStats {
  uint64_t hits = 0;    // Jobs that were answered.
  uint64_t misses = 0;  // Jobs that ran, so that there might be an answer the next time.
  CacheStats store;
  ResultCache::Usage used;  // By all processes.
  int last_errno = 0;       // Why the disk took nothing the last time; 0 if it did.
};

// Thread-safe. Calls block on the disk, and are never made with a lock of the engine's held.
// Nothing that goes wrong here is the job's.
class JobCache {
 public:
  // kOption if `folder` can never be a cache. Other problems are told to the listener.
  static Result<std::unique_ptr<JobCache>> Open(const std::string& folder,
                                                const CacheLimits& limits);

  // Find out which key the job has now. False if it has none, and cannot be cached.
  bool FindKey(Job& job) const;
  // What reading the answer to the job takes, at most; nothing if there is none.
  std::optional<uint64_t> AnswerBytes(const Job& job) const;
  // Fill the result of the job, all but what only an attempt knows: times and memory.
  bool Answer(Job& job);
  void CountMiss() { ++misses_; }
  // Keep the result of a job that has run. False if it is not kept: it is salvaged, the source was
  // changed meanwhile, it is too large, or the disk does not take it.
  bool Keep(Job& job);

  // Called once, at the first failure of the disk: at once if that was before. Set it before any
  // job runs.
  void SetOnFailure(std::function<void(const Status&)> on_failure);
  JobCacheStats Stats() const;  // Walks the folder.
  const std::string& folder() const { return results_->folder(); }

 private:
  JobCache(std::unique_ptr<ResultCache> results, std::string maker, Status problem)
      : results_(std::move(results)), maker_(std::move(maker)), problem_(std::move(problem)) {}
  void NoteOutcome(const Status& status);

  const std::unique_ptr<ResultCache> results_;
  const std::string maker_;
  Status problem_;  // Of opening; told and dropped by SetOnFailure.
  std::function<void(const Status&)> on_failure_;
  std::atomic<bool> is_told_{false};
  std::atomic<int> last_errno_{0};
  std::atomic<uint64_t> hits_{0}, misses_{0};
};

}  // namespace pixpress
