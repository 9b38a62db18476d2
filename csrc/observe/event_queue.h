#pragma once
// Hands events from workers to one reader; a slow reader never slows a worker.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace pixpress {

// Thread-safe. Events that must arrive are kept without bound (their number is that of the jobs);
// droppable ones push out the oldest droppable one beyond `max_droppable`.
template <typename T>
class EventQueue;

}  // namespace pixpress
