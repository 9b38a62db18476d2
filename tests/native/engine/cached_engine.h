#pragma once
// An engine with a cache, whose clock and attempts a test drives.

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/attempt_counts.h"
#include "engine/cached_attempt.h"
#include "engine/scripted_engine.h"

namespace pixpress {

// Sources are bytes: the image "hold..." is worked on until LetGo or a stop, "hang..." until LetGo;
// "large..." needs 40 of the 64 MiB. Others fail as scripted, one status after the other, and then
// succeed.
class CachedEngine {
 public:
  explicit CachedEngine(const std::string& folder, EngineOptions options = {}) {
    if (options.max_workers == 0) options.max_workers = 2;
    options.memory_limit_bytes = 64u << 20;
    options.seed = 1;
    engine_.reset(new EngineImpl(WithDefaults(options),
                                 EngineParts{.clock = clock,
                                             .attempt =
                                                 [this](Job& job, const AttemptContext& context) {
                                                   return attempts_.Count(
                                                       job.id, [&] { return Play(job, context); });
                                                 },
                                             .cache = JobCache::Open(folder, {}).value()}));
  }
  ~CachedEngine() { LetGo(); }

  std::shared_ptr<Job> Submit(const std::string& image, Priority priority = Priority::kNormal) {
    const std::string& kept = *images_.insert(image).first;
    JobSpec spec;
    spec.settings = settings_;
    spec.source.kind = Source::Kind::kBytes;
    spec.source.bytes = {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()};
    jobs_.push_back(engine_->Submit(std::move(spec), priority, 0).value());
    return jobs_.back();
  }
  void Script(const std::string& image, std::vector<Status> statuses) {
    const std::lock_guard lock(mutex_);
    scripts_[image] = {statuses.begin(), statuses.end()};
  }
  void LetGo() {
    is_let_go_.store(true);
    is_let_go_.notify_all();
  }
  int runs(const std::string& image) {
    const std::lock_guard lock(mutex_);
    return runs_[image];
  }
  std::vector<Event> Events(EventType type) {
    std::vector<Event> events;
    engine_->WaitEvents(0, &events);
    std::erase_if(events, [&](const Event& event) { return event.type != type; });
    return events;
  }
  // So many jobs wait (other than for a retry), each after a worker has looked at it, and so many
  // workers work.
  void Await(size_t queued, uint32_t busy) {
    const int64_t end_ns = Clock::System().NowNs() + 60 * kNsPerSecond;
    for (;;) {
      const size_t looked_at = attempts_.LookedAt(jobs_);
      const EngineStats stats = engine_->Stats();
      if (looked_at >= queued && stats.queued == queued && stats.busy_workers == busy) return;
      if (Clock::System().NowNs() > end_ns) {
        ADD_FAILURE() << stats.queued << " queued, " << stats.busy_workers << " busy";
        return;
      }
      std::this_thread::yield();
    }
  }
  JobState EndOf(const std::shared_ptr<Job>& job) {
    EXPECT_TRUE(engine_->WaitJob(*job, 60 * kNsPerSecond));
    return job->state.load();
  }
  void Advance(int64_t by_ns) {
    clock.Advance(by_ns);
    engine_->Tick();
  }
  NamedNumbers Metrics() { return engine_->Metrics(); }
  void EndEngine() { engine_.reset(); }
  Engine& engine() { return *engine_; }

  FakeClock clock;
  std::counting_semaphore<> begun{0};  // Released by "hold..." and "hang...".

 private:
  Attempt Play(Job& job, const AttemptContext& context) {
    if (auto cached = AttemptCached(job, context)) return *std::move(cached);
    const Bytes bytes = job.spec.source.bytes;
    const std::string image(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Attempt attempt;
    const bool is_large = image.starts_with("large") || image.ends_with("large");
    attempt.needed_bytes = is_large ? 40u << 20 : 1u << 20;
    const auto reservation = context.budget.TryReserve(job.id, attempt.needed_bytes);
    if (!reservation.has_value()) {
      attempt.outcome = AttemptOutcome::kBlocked;
      return attempt;
    }
    attempt.status = Begin(image);
    if (image.starts_with("ho") || image.starts_with("ha")) begun.release();
    if (image.starts_with("hang")) is_let_go_.wait(false);
    while (image.starts_with("hold") && !is_let_go_.load() && attempt.status.ok()) {
      attempt.status = StopToken(job.stop).Poll();
      std::this_thread::yield();
    }
    if (!attempt.status.ok()) return attempt;
    job.result.data.emplace(job.meter);
    EXPECT_TRUE(job.result.data->Append(bytes).ok());
    job.result.format = Format::kPng;
    job.result.compressed_bytes = bytes.size();
    attempt.status = FinishJob(job, context, &attempt.output);
    return attempt;
  }
  Status Begin(const std::string& image) {
    const std::lock_guard lock(mutex_);
    ++runs_[image];
    auto& script = scripts_[image];
    if (script.empty()) return Status();
    const Status status = script.front();
    script.pop_front();
    return status;
  }

  const std::shared_ptr<const Settings> settings_ = std::make_shared<const Settings>();
  std::set<std::string> images_;
  std::vector<std::shared_ptr<Job>> jobs_;
  AttemptCounts attempts_;
  std::mutex mutex_;  // Guards the next two.
  std::map<std::string, std::deque<Status>> scripts_;
  std::map<std::string, int> runs_;
  std::atomic<bool> is_let_go_{false};
  EnginePtr engine_;
};

}  // namespace pixpress
