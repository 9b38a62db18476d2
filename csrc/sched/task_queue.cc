#include "sched/task_queue.h"

#include <algorithm>

#include "base/clock.h"

namespace pixpress {
namespace {

// Every step of rank is a whole number of tenths, so the order is decided in integers.
constexpr int64_t kNsPerTenthOfRank =
    static_cast<int64_t>(0.1 / kAgeingRankPerSecond * static_cast<double>(kNsPerSecond) + 0.5);
static_assert(kNsPerTenthOfRank == 10 * kNsPerSecond);
constexpr int64_t kTenthsPerPriority = 10;
constexpr int64_t kTenthsIfSmall = 5;
constexpr int64_t kTenthsPerRetry = 2;
constexpr uint32_t kMostRetriesCounted = 1'000'000;  // Far from overflow, beyond any real number.

}  // namespace

int64_t VirtualStartNs(const TaskKey& key) {
  const int64_t tenths = static_cast<int64_t>(key.priority) * kTenthsPerPriority +
                         (key.is_small ? kTenthsIfSmall : 0) +
                         std::min(key.retries, kMostRetriesCounted) * kTenthsPerRetry;
  return key.submit_time_ns - tenths * kNsPerTenthOfRank;
}

TaskQueue::Place TaskQueue::PlaceOf(const Entry& entry) {
  const TaskKey& key = entry.key;
  Place place{.virtual_start_ns = VirtualStartNs(key), .id = entry.id};
  if (key.batch == 0) return place;
  place.batch = key.batch;
  place.group = key.group;
  place.size_bytes = key.size_bytes;
  return place;
}

void TaskQueue::Push(const Entry& entry) {
  if (places_.contains(entry.id)) return;
  Lane& lane = LaneOf(entry);
  const Place place = PlaceOf(entry);
  // Most tasks come last: that is the hint.
  places_.emplace(entry.id, lane.emplace_hint(lane.end(), place, entry));
}

TaskQueue::Entry TaskQueue::Take(Lane::iterator place) {
  const Entry entry = place->second;
  for (auto& [earlier, blocked] : blocked_) {
    if (!(earlier < place->first)) break;
    ++blocked.overtaken;
  }
  LaneOf(entry).erase(place);
  places_.erase(entry.id);
  return entry;
}

std::optional<TaskQueue::Entry> TaskQueue::PopFirst(const Fits& fits, size_t max_looks) {
  auto fresh = fresh_.begin();
  auto blocked = blocked_.begin();
  for (size_t look = 0; look < max_looks; ++look) {
    const bool has_fresh = fresh != fresh_.end();
    const bool has_blocked = blocked != blocked_.end();
    if (!has_fresh && !has_blocked) break;
    const bool is_fresh = has_fresh && (!has_blocked || fresh->first < blocked->first);
    const auto next = is_fresh ? fresh++ : blocked++;
    if (fits(next->second)) return Take(next);
  }
  return std::nullopt;
}

std::optional<TaskQueue::Entry> TaskQueue::PopFirstBlocked(const Fits& fits) {
  for (auto place = blocked_.begin(); place != blocked_.end(); ++place) {
    if (fits(place->second)) return Take(place);
  }
  return std::nullopt;
}

const TaskQueue::Entry* TaskQueue::FirstBlocked() const {
  return blocked_.empty() ? nullptr : &blocked_.begin()->second;
}

bool TaskQueue::Remove(TaskId id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return false;
  LaneOf(found->second->second).erase(found->second);
  places_.erase(found);
  return true;
}

bool TaskQueue::SetPriority(TaskId id, Priority priority) {
  const auto found = places_.find(id);
  if (found == places_.end()) return false;
  Lane& lane = LaneOf(found->second->second);
  auto node = lane.extract(found->second);
  node.mapped().key.priority = priority;
  node.key() = PlaceOf(node.mapped());
  found->second = lane.insert(std::move(node)).position;
  return true;
}

}  // namespace pixpress
