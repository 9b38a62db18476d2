#pragma once
// Hands events from workers to one reader; a slow reader never slows a worker.

#include <chrono>
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
class EventQueue {
 public:
  explicit EventQueue(size_t max_droppable) : max_droppable_(max_droppable) {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Never blocks on the reader. Does nothing once closed.
  void PushAlways(T event) { Push(std::move(event), &must_arrive_, /*wakes=*/true); }
  void PushDroppable(T event) { Push(std::move(event), &droppable_, /*wakes=*/true); }
  // As PushAlways, but a Wait that is under way sleeps on: it takes this with the next event, or
  // when its time is out.
  void PushSilently(T event) { Push(std::move(event), &must_arrive_, /*wakes=*/false); }

  // Wait up to `timeout_ns` (negative: for ever) for events, Wake or Close, and append all events
  // to `events`, oldest first. False on time-out, and when closed with nothing left.
  bool Wait(int64_t timeout_ns, std::vector<T>* events) {
    std::unique_lock lock(mutex_);
    const auto is_due = [&] { return has_news_ || is_woken_ || is_closed_; };
    if (timeout_ns < 0) {
      changed_.wait(lock, is_due);
    } else {
      changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), is_due);
    }
    const bool was_woken = std::exchange(is_woken_, false);
    has_news_ = false;
    must_arrive_.swap(taken_);
    const Lane droppable = std::exchange(droppable_, {});
    lock.unlock();
    const bool has_events = !taken_.empty() || !droppable.empty();
    auto next = droppable.begin();
    for (Numbered& event : taken_) {
      for (; next != droppable.end() && next->sequence < event.sequence; ++next) {
        events->push_back(next->event);
      }
      events->push_back(std::move(event.event));
    }
    for (; next != droppable.end(); ++next) events->push_back(next->event);
    taken_.clear();
    return has_events || was_woken;
  }

  // Make a Wait that is under way, or else the next one, return.
  void Wake() {
    {
      const std::lock_guard lock(mutex_);
      is_woken_ = true;
    }
    changed_.notify_all();
  }

  // Take no more events. Those that are left are still delivered; Wait never blocks again.
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_all();
  }

  // How many droppable events were pushed out so far.
  uint64_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  struct Numbered {
    uint64_t sequence = 0;  // Joins the two lanes in order again.
    T event;
  };
  using Lane = std::deque<Numbered>;

  template <typename EventLane>
  void Push(T event, EventLane* lane, bool wakes) {
    Lane oldest;  // Destroyed without the lock: an event may own a lot.
    bool is_first = false;
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return;
      if (wakes) is_first = !std::exchange(has_news_, true);
      lane->push_back({next_sequence_++, std::move(event)});
      if (droppable_.size() > max_droppable_) {
        oldest.push_back(std::move(droppable_.front()));
        droppable_.pop_front();
        ++dropped_;
      }
    }
    // The one reader drains everything, so it sleeps only while there was nothing.
    if (is_first) changed_.notify_one();
  }

  const size_t max_droppable_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  std::vector<Numbered> must_arrive_;
  Lane droppable_;
  uint64_t next_sequence_ = 0;
  uint64_t dropped_ = 0;
  bool has_news_ = false;  // Events that wake the reader.
  bool is_woken_ = false;
  bool is_closed_ = false;

  std::vector<Numbered> taken_;  // The one reader's; kept for its room.
};

}  // namespace pixpress
