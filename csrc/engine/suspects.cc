#include "engine/suspects.h"

#include <algorithm>

namespace pixpress {

bool Suspects::Drop(TaskId id) { return held_.erase(id) > 0; }

std::vector<TaskId> Suspects::Clear(TaskId id) {
  const auto found = std::ranges::find(suspects_, id);
  if (found == suspects_.end()) return {};
  const bool was_first = found == suspects_.begin();
  suspects_.erase(found);
  if (!was_first) return {};
  if (!suspects_.empty()) {
    // The next one may not have been handed in yet; then nothing runs before it.
    return held_.erase(suspects_.front()) > 0 ? std::vector{suspects_.front()}
                                              : std::vector<TaskId>();
  }
  std::vector<TaskId> all(held_.begin(), held_.end());
  held_.clear();
  return all;
}

}  // namespace pixpress
