// How many tasks per second the queue alone takes and gives, one thread, with many waiting.

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/clock.h"
#include "sched/task_queue.h"

namespace {

constexpr int kTasks = 100'000;
constexpr int kRounds = 7;

double Round() {
  pixpress::TaskQueue queue;
  const int64_t start_ns = pixpress::Clock::System().NowNs();
  for (int i = 1; i <= kTasks; ++i) {
    pixpress::TaskQueue::Entry entry;
    entry.id = static_cast<pixpress::TaskId>(i);
    entry.key.priority = static_cast<pixpress::Priority>(i % 4);
    entry.key.is_small = i % 3 == 0;
    entry.key.submit_time_ns = i * 1000;
    queue.Push(entry);
  }
  int popped = 0;
  while (queue.PopFirst([](const auto&) { return true; }, 16)) ++popped;
  const double seconds = static_cast<double>(pixpress::Clock::System().NowNs() - start_ns) / 1e9;
  return popped == kTasks ? seconds : -1;
}

}  // namespace

int main() {
  std::array<double, kRounds> seconds{};
  for (double& round : seconds) {
    round = Round();
    if (round < 0) return 1;
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRounds / 2, seconds.end());
  std::printf("task_queue: %.0f tasks/s pushed and popped, %d waiting\n",
              kTasks / seconds[kRounds / 2], kTasks);
}
