#include "sched/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sched/worker_pool_state.h"
#include "sched/worker_thread.h"

namespace pixpress {
namespace {

ScaleLimits Sane(ScaleLimits limits) {
  limits.max_workers = std::max(limits.max_workers, 1u);
  limits.min_workers = std::min(limits.min_workers, limits.max_workers);
  return limits;
}

}  // namespace

WorkerPool::State::State(const WorkerPoolOptions& pool_options, TaskRunner* task_runner,
                         const Clock& pool_clock)
    : nice(pool_options.nice),
      stack_bytes(pool_options.stack_bytes),
      runner(task_runner),
      clock(pool_clock),
      can_run([task_runner](const TaskQueue::Entry& entry) { return task_runner->CanRun(entry); }),
      parallel(this, pool_options.scale.max_workers),
      limits(pool_options.scale),
      concurrency(pool_options.scale.max_workers) {}

// Called with the lock held. False if the system gives no thread.
bool WorkerPool::State::Start(const std::shared_ptr<State>& self) {
  State& state = *self;
  auto place = std::ranges::find_if(state.places, [](const WorkerPlace& p) {
    return p.phase == WorkerPlace::Phase::kEmpty || p.phase == WorkerPlace::Phase::kEnded;
  });
  if (place == state.places.end()) place = state.places.emplace(place);
  if (place->phase == WorkerPlace::Phase::kEnded) pthread_join(place->thread, nullptr);
  *place = WorkerPlace();
  place->info.id = static_cast<uint32_t>(place - state.places.begin());
  place->info.started_ns = state.clock.NowNs();
  auto argument = std::make_unique<Argument>(Argument{self, place->info.id});
  if (!StartThread(&place->thread, state.stack_bytes, &ThreadMain, argument.get())) return false;
  argument.release();  // The thread owns it now.
  place->phase = WorkerPlace::Phase::kRunning;
  ++state.workers;
  ++state.coming;
  return true;
}

void* WorkerPool::State::ThreadMain(void* argument) {
  const std::unique_ptr<Argument> owned(static_cast<Argument*>(argument));
  const auto& [state, worker_id] = *owned;
  SetUpThread(("pixpress-" + std::to_string(worker_id)).c_str(), state->nice);
  state->Work(worker_id);
  return nullptr;
}

// See to it that `wanted` workers look at the queue or the loans soon, as far as there are any.
void WorkerPool::State::CallWorkersLocked(size_t wanted) {
  while (coming + (is_lingering ? 1 : 0) < wanted && !is_stopped) {
    if (sleeping > waking) {
      ++waking;
      ++coming;
      wake.notify_one();
    } else if (workers >= limits.max_workers || !runner->MayStart(workers, wanted, limits) ||
               !Start(self.lock())) {
      return;
    }
  }
}

void WorkerPool::State::Offer(Loan* loan, size_t helpers) {
  const std::lock_guard lock(mutex);
  loans.Open(loan);
  offers.fetch_add(1, std::memory_order_relaxed);
  CallWorkersLocked(helpers);
}

bool WorkerPool::State::HasIdle() const {
  const std::lock_guard lock(mutex);
  // Tasks that do not fit into memory need no worker now.
  const bool is_waited_for = queue.size() > queue.blocked_size() && busy < concurrency;
  return !is_stopped && !is_waited_for && busy + helping < limits.max_workers;
}

void WorkerPool::State::StopLocked() {
  is_stopped = true;
  calls.fetch_add(1, std::memory_order_relaxed);
  wake.notify_all();
}

void WorkerPool::State::Join() {
  for (size_t i = 0;; ++i) {
    std::unique_lock lock(mutex);
    if (i >= places.size()) return;
    const pthread_t thread = places[i].thread;
    if (places[i].phase == WorkerPlace::Phase::kDetached) continue;
    const WorkerPlace::Phase phase = std::exchange(places[i].phase, WorkerPlace::Phase::kEmpty);
    if (phase == WorkerPlace::Phase::kStuck) {
      places[i].phase = WorkerPlace::Phase::kDetached;  // Should it return, it ends by itself.
      pthread_detach(thread);
    }
    lock.unlock();
    if (phase == WorkerPlace::Phase::kRunning || phase == WorkerPlace::Phase::kEnded) {
      pthread_join(thread, nullptr);
    }
  }
}

WorkerPool::WorkerPool(const WorkerPoolOptions& options, TaskRunner* runner, const Clock& clock) {
  WorkerPoolOptions sane = options;
  sane.scale = Sane(options.scale);
  state_ = std::make_shared<State>(sane, runner, clock);
  state_->self = state_;
  const std::lock_guard lock(state_->mutex);
  for (uint32_t i = 0; i < sane.scale.min_workers && State::Start(state_); ++i) {
  }
}

WorkerPool::~WorkerPool() { Close(); }

void WorkerPool::Close() {
  Stop();
  state_->Join();
}

void WorkerPool::Push(TaskQueue::Entry entry) {
  const std::lock_guard lock(state_->mutex);
  if (state_->is_stopped) return;
  state_->queue.Push(entry);
  state_->calls.fetch_add(1, std::memory_order_relaxed);
  state_->CallWorkersLocked(state_->queue.size());
}

bool WorkerPool::Remove(TaskId id) {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.Remove(id);
}

bool WorkerPool::SetPriority(TaskId id, Priority priority) {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.SetPriority(id, priority);
}

void WorkerPool::Reconsider() {
  const std::lock_guard lock(state_->mutex);
  if (state_->queue.empty()) return;
  state_->calls.fetch_add(1, std::memory_order_relaxed);
  state_->CallWorkersLocked(1);
}

bool WorkerPool::Abandon(uint32_t worker_id, TaskId task) {
  const std::lock_guard lock(state_->mutex);
  if (worker_id >= state_->places.size()) return false;
  WorkerPlace& place = state_->places[worker_id];
  if (place.phase != WorkerPlace::Phase::kRunning || place.info.task != task) return false;
  place.phase = WorkerPlace::Phase::kStuck;
  --state_->workers;
  --state_->busy;
  ++state_->stuck;
  state_->calls.fetch_add(1, std::memory_order_relaxed);
  if (state_->workers < state_->limits.min_workers || !state_->queue.empty()) {
    state_->CallWorkersLocked(1);
  }
  return true;
}

void WorkerPool::SetLimits(const ScaleLimits& limits) {
  const std::lock_guard lock(state_->mutex);
  state_->limits = Sane(limits);
  state_->concurrency = state_->limits.max_workers;
  state_->parallel.SetWidth(state_->limits.max_workers);
  state_->calls.fetch_add(1, std::memory_order_relaxed);
  state_->wake.notify_all();  // Who sleeps looks at the new limits.
  while (state_->workers < state_->limits.min_workers && !state_->is_stopped &&
         State::Start(state_)) {
  }
  if (!state_->queue.empty()) state_->CallWorkersLocked(state_->queue.size());
}

void WorkerPool::SetConcurrency(uint32_t limit) {
  const std::lock_guard lock(state_->mutex);
  state_->concurrency = std::max(limit, 1u);
  state_->calls.fetch_add(1, std::memory_order_relaxed);
  if (!state_->queue.empty()) state_->CallWorkersLocked(1);
}

void WorkerPool::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->StopLocked();
}

size_t WorkerPool::queued() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

uint32_t WorkerPool::workers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->workers;
}

uint32_t WorkerPool::busy_workers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->busy;
}

uint32_t WorkerPool::stuck_workers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stuck;
}

std::vector<WorkerInfo> WorkerPool::Workers() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<WorkerInfo> infos;
  for (const WorkerPlace& place : state_->places) {
    if (place.phase != WorkerPlace::Phase::kRunning && place.phase != WorkerPlace::Phase::kStuck)
      continue;
    infos.push_back(place.info);
    infos.back().is_stuck = place.phase == WorkerPlace::Phase::kStuck;
    infos.back().cpu_ns = ThreadCpuNs(place.thread);
  }
  return infos;
}

}  // namespace pixpress
