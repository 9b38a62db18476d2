// How many tiny tasks per second go from Push to Run, through the queue and two workers.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <semaphore>

#include "base/clock.h"
#include "sched/worker_pool.h"

namespace {

constexpr int kTasks = 200'000;
constexpr int kRounds = 7;

class TinyRunner final : public pixpress::TaskRunner {
 public:
  pixpress::RunOutcome Run(pixpress::TaskQueue::Entry&, uint32_t, pixpress::Parallel&) override {
    if (ended_.fetch_add(1) + 1 == kTasks) all_ended.release();
    return pixpress::RunOutcome::kEnded;
  }
  bool CanRun(const pixpress::TaskQueue::Entry&) override { return true; }

  std::binary_semaphore all_ended{0};

 private:
  std::atomic<int> ended_{0};
};

double Round() {
  const pixpress::Clock& clock = pixpress::Clock::System();
  TinyRunner runner;
  pixpress::WorkerPoolOptions options;
  options.scale.min_workers = options.scale.max_workers = 2;
  pixpress::WorkerPool pool(options, &runner, clock);
  const int64_t start_ns = clock.NowNs();
  for (int i = 1; i <= kTasks; ++i) {
    pixpress::TaskQueue::Entry entry;
    entry.id = static_cast<pixpress::TaskId>(i);
    entry.key.submit_time_ns = clock.NowNs();
    pool.Push(entry);
  }
  runner.all_ended.acquire();
  return static_cast<double>(clock.NowNs() - start_ns) / 1e9;
}

}  // namespace

int main() {
  std::array<double, kRounds> seconds{};
  for (double& round : seconds) round = Round();
  std::sort(seconds.begin(), seconds.end());
  std::printf("worker_pool: %.0f tasks/s with 2 workers (aim: 200000), %.0f to %.0f\n",
              kTasks / seconds[kRounds / 2], kTasks / seconds.back(), kTasks / seconds.front());
}
