#include "engine/batch_slots.h"

#include "sched/task_queue.h"

namespace pixpress {
namespace {

constexpr size_t kMostSlots = 1024;

}  // namespace

int64_t BatchSlots::OrderTime(uint64_t batch, int64_t now_ns) {
  if (batch == 0) return now_ns;
  if (began_ns_.size() >= kMostSlots) {
    std::erase_if(began_ns_,
                  [&](const auto& slot) { return now_ns - slot.second >= kBatchSlotNs; });
  }
  int64_t& began_ns = began_ns_.try_emplace(batch, now_ns).first->second;
  if (now_ns - began_ns >= kBatchSlotNs) began_ns = now_ns;
  return began_ns;
}

}  // namespace pixpress
