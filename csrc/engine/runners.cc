#include "engine/runners.h"

#include <utility>

namespace pixpress {

ChildRunner& Runners::Of(uint32_t worker_id, const std::string& program) {
  const std::lock_guard lock(mutex_);
  auto& runner = places_[worker_id].runner;
  if (runner == nullptr) runner = std::make_unique<ChildRunner>(program);
  return *runner;
}

void Runners::Note(uint32_t worker_id, bool keeps_process) {
  if (!keeps_process) return End(worker_id);
  const std::lock_guard lock(mutex_);
  Place& place = places_.at(worker_id);
  place.has_process = place.runner->pid() != 0;
  place.is_unfiltered = place.runner->filter_errno() != 0;
  place.starts = place.runner->starts();
  if (place.is_unfiltered) last_filter_errno_ = place.runner->filter_errno();
}

void Runners::End(uint32_t worker_id) {
  std::unique_ptr<ChildRunner> runner;  // Ends the process without the lock.
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(worker_id);
  if (found == places_.end()) return;
  ended_starts_ += found->second.runner->starts();
  runner = std::move(found->second.runner);
  places_.erase(found);
}

RunnerCounts Runners::Counts() const {
  const std::lock_guard lock(mutex_);
  RunnerCounts counts;
  counts.starts = ended_starts_;
  counts.last_filter_errno = last_filter_errno_;
  for (const auto& [worker_id, place] : places_) {
    counts.processes += place.has_process ? 1 : 0;
    counts.unfiltered += place.is_unfiltered ? 1 : 0;
    counts.starts += place.starts;
  }
  return counts;
}

}  // namespace pixpress
