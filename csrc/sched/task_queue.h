#pragma once
// Tasks that wait, in the order in which they should run.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

namespace pixpress {

enum class Priority : uint8_t { kLow = 0, kNormal = 1, kHigh = 2, kCritical = 3 };

using TaskId = uint64_t;  // Never 0.

// Everything that decides a task's place. Rank is priority + 0.5 if small + 0.2 per retry, and
// grows by 0.3 per 30 s of waiting. Since all grow alike, the order never changes by itself: it is
// that of submit_time - rank / rate.
struct TaskKey {
  Priority priority = Priority::kNormal;
  bool is_small = false;  // The input has fewer than 1,000,000 bytes.
  uint32_t retries = 0;
  int64_t submit_time_ns = 0;
  // Tasks of one batch (0: none) that came within kBatchSlotNs of each other wait as if they had
  // come at the same time, and run by group, then by size.
  uint64_t batch = 0;
  uint32_t group = 0;
  uint64_t size_bytes = 0;
};

inline constexpr uint64_t kSmallInputBytes = 1'000'000;
inline constexpr double kAgeingRankPerSecond = 0.3 / 30.0;
inline constexpr int64_t kBatchSlotNs = 1'000'000'000;

// The sort key: earlier runs first.
int64_t VirtualStartNs(const TaskKey& key);

// Not thread-safe; its owner locks. Ties run by batch, group, size and id, in this order.
class TaskQueue {
 public:
  struct Entry {
    TaskId id = 0;
    TaskKey key;
    uint64_t known_bytes = 0;  // Memory that the task needs; 0 before it was planned.
    uint32_t overtaken = 0;    // How often a later task was popped before it for lack of memory.
    int64_t blocked_since_ns = 0;  // When it first did not fit; 0 if it never was tried.
  };
  using Fits = std::function<bool(const Entry&)>;

  // Ignored if the id is queued already.
  void Push(const Entry& entry);
  // The first entry for which `fits` holds; entries before it count one overtake if they were tried
  // before. Looks at no more than `max_looks` entries.
  std::optional<Entry> PopFirst(const Fits& fits, size_t max_looks);
  // The same among the entries that were tried before, all of which are looked at.
  std::optional<Entry> PopFirstBlocked(const Fits& fits);
  // The first entry that has been tried and did not fit (the candidate for the claim), if any.
  const Entry* FirstBlocked() const;
  bool Remove(TaskId id);
  bool SetPriority(TaskId id, Priority priority);
  bool Contains(TaskId id) const { return places_.contains(id); }
  size_t size() const { return places_.size(); }
  size_t blocked_size() const { return blocked_.size(); }
  bool empty() const { return places_.empty(); }

 private:
  struct Place {
    int64_t virtual_start_ns = 0;
    uint64_t batch = 0;
    uint32_t group = 0;
    uint64_t size_bytes = 0;  // 0 outside of batches: there the id decides.
    TaskId id = 0;
    auto operator<=>(const Place&) const = default;
  };
  using Lane = std::map<Place, Entry>;

  static Place PlaceOf(const Entry& entry);
  static bool IsBlocked(const Entry& entry) { return entry.blocked_since_ns != 0; }
  Lane& LaneOf(const Entry& entry) { return IsBlocked(entry) ? blocked_ : fresh_; }
  Entry Take(Lane::iterator place);

  Lane fresh_;    // Never tried.
  Lane blocked_;  // Tried before; few, so that overtakes are counted quickly.
  std::unordered_map<TaskId, Lane::iterator> places_;
};

}  // namespace pixpress
