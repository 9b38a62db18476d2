#pragma once
// An engine whose clock and attempts a test drives.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine_impl.h"

namespace pixpress {

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns_.load(); }
  void Advance(int64_t by_ns) { now_ns_.fetch_add(by_ns); }

 private:
  std::atomic<int64_t> now_ns_{1'000'000 * kNsPerSecond};
};

// Attempts return what the script says: by name of the source, one status after the other, the last
// one for ever. Sources named "hang..." hang until LetGo, whatever they are told; "die..." are the
// death of the process. With a journal, attempts record their starts as real ones do.
class ScriptedEngine {
 public:
  explicit ScriptedEngine(EngineOptions options = {}, const std::string& journal = "") {
    if (options.max_workers == 0) options.max_workers = 2;
    options.memory_limit_bytes = 64u << 20;
    options.seed = 1;
    engine_.reset(new EngineImpl(
        WithDefaults(options),
        EngineParts{
            .clock = clock,
            .attempt = [this](Job& job,
                              const AttemptContext& context) { return Play(job, context); },
            .journal = journal.empty()
                           ? nullptr
                           : JobJournal::Open({.path = journal, .takes_over = true}, false, clock)
                                 .value()}));
  }
  ~ScriptedEngine() { LetGo(); }

  void Script(const std::string& name, std::vector<Status> statuses) {
    const std::lock_guard lock(mutex_);
    scripts_[name] = {statuses.begin(), statuses.end()};
  }
  void LetGo() {
    is_let_go_.store(true);
    is_let_go_.notify_all();
  }
  std::shared_ptr<Job> Submit(const std::string& name, Priority priority = Priority::kNormal,
                              uint64_t batch = 0, uint32_t group = 0) {
    JobSpec spec;
    spec.settings = settings_;
    spec.source.name = name;
    spec.batch = batch;
    spec.group = group;
    return engine_->Submit(std::move(spec), priority, 0).value();
  }
  // All events so far.
  std::vector<Event> Events() {
    std::vector<Event> events;
    engine_->WaitEvents(0, &events);
    return events;
  }
  // Every event of this type from here on, up to the first; others are forgotten.
  Event WaitFor(EventType type) {
    for (;;) {
      while (!pending_.empty()) {
        Event event = std::move(pending_.front());
        pending_.pop_front();
        if (event.type == type) return event;
      }
      std::vector<Event> events;
      engine_->WaitEvents(-1, &events);
      for (Event& event : events) pending_.push_back(std::move(event));
    }
  }
  void Advance(int64_t by_ns) {
    clock.Advance(by_ns);
    engine_->Tick();
  }
  void EndEngine() { engine_.reset(); }
  Engine& engine() { return *engine_; }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

  FakeClock clock;
  std::counting_semaphore<> hangs{0};

 private:
  Attempt Play(Job& job, const AttemptContext& context) {
    Attempt attempt;
    const std::string& name = job.spec.source.name;
    const std::string base = name.substr(name.rfind('/') + 1);
    if (context.journal != nullptr) {
      attempt.status = context.journal->RecordStart(job);
      if (attempt.status.sys_errno() == ENOSPC) attempt.outcome = AttemptOutcome::kBlocked;
      if (!attempt.status.ok()) return attempt;
    }
    {
      const std::lock_guard lock(mutex_);
      order_.push_back(name);
      auto& script = scripts_[name];
      if (!script.empty()) attempt.status = script.front();
      if (script.size() > 1) script.pop_front();
    }
    if (context.progress != nullptr) context.progress->Report(Stage::kDecode, 0.5);
    if (base.starts_with("die")) {
      signal(SIGSEGV, SIG_DFL);
      raise(SIGSEGV);
    }
    if (base.starts_with("hang") || base.starts_with("refused")) {
      const bool is_refused = base.starts_with("refused");
      CommitState open = CommitState::kOpen;
      if (is_refused) job.commit.compare_exchange_strong(open, CommitState::kCommitted);
      hangs.release();
      is_let_go_.wait(false);
      if (is_refused) attempt.outcome = AttemptOutcome::kBlocked;
    }
    if (base.starts_with("wait")) {  // Obeys.
      hangs.release();
      while (!StopToken(job.stop).stop_requested() && !is_let_go_.load()) std::this_thread::yield();
      attempt.status = StopToken(job.stop).Poll();
    }
    return attempt;
  }

  const std::shared_ptr<const Settings> settings_ = std::make_shared<const Settings>();
  std::mutex mutex_;  // Guards the next two.
  std::map<std::string, std::deque<Status>> scripts_;
  std::vector<std::string> order_;
  std::atomic<bool> is_let_go_{false};
  std::deque<Event> pending_;
  EnginePtr engine_;
};

}  // namespace pixpress
