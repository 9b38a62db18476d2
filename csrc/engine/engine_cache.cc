// How the engine sees to it that of identical jobs one runs, and the others take its result.

#include "engine/engine_impl.h"

namespace pixpress {

// On the worker of the job. False if it waits now: then it is in no queue, and ends from there or
// is called by LeaveFlightLocked.
bool EngineImpl::JoinFlight(Job& job) {
  const Sha256Digest& key = job.cache_key->digest;
  const std::lock_guard lock(mutex_);
  // Whoever is to end does so by itself.
  const bool is_wanted = job.commit.load() == CommitState::kOpen && !job.is_abandoned;
  if (job.flies_alone || !is_wanted) return true;
  // It led another key before it waited for memory: its source has changed.
  if (flights_.KeyOf(job.id) != key) LeaveFlightLocked(job, /*others_fly_alone=*/false);
  if (flights_.Join(key, job.id)) return true;
  EnterQueueLocked(job, clock_.NowNs());
  return false;
}

// The job is over, or goes back: whoever waits for it looks again, and leads or runs by itself
// should there be no result.
void EngineImpl::LeaveFlightLocked(Job& job, bool others_fly_alone) {
  for (const TaskId id : flights_.Leave(job.id)) {
    Job& other = *jobs_.at(id);
    other.flies_alone = others_fly_alone;
    if (const auto entry = ReadyLocked(other)) workers_.Push(*entry);
  }
}

}  // namespace pixpress
