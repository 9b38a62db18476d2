#include "sched/worker_pool.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "sched/parallel.h"

namespace pixpress {
namespace {

// How long an idle worker looks for work before it sleeps.
constexpr int64_t kLingerNs = 50'000;

// Tells the CPU that this thread spins.
void PauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Blocks all signals but those that a thread raises by its own fault; restores when destroyed.
// Threads inherit the mask, so none starts with signals open.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// A thread's place in the pool. Places are reused, so worker ids stay below max_workers.
struct Place {
  enum class Phase : uint8_t { kEmpty, kRunning, kEnded };  // kEnded: to be joined.
  Phase phase = Phase::kEmpty;
  pthread_t thread{};
};

}  // namespace

struct WorkerPool::State final : Lender {
  struct Argument {
    std::shared_ptr<State> state;
    uint32_t worker_id;
  };

  State(const WorkerPoolOptions& pool_options, TaskRunner* task_runner, const Clock& pool_clock);

  void Offer(Loan* loan, size_t helpers) override;
  void Recall(Loan* loan) override;

  static bool Start(const std::shared_ptr<State>& self);
  static void* ThreadMain(void* argument);
  void Work(uint32_t worker_id);
  void RunTask(std::unique_lock<std::mutex>& lock, TaskQueue::Entry entry, uint32_t worker_id);
  void Help(std::unique_lock<std::mutex>& lock, Loan* loan);
  bool Linger(std::unique_lock<std::mutex>& lock);
  bool Sleep(std::unique_lock<std::mutex>& lock);
  std::optional<TaskQueue::Entry> PopLocked();
  void CallWorkersLocked(size_t wanted);
  void StopLocked();
  void Join();

  const WorkerPoolOptions options;
  TaskRunner* const runner;
  const Clock& clock;
  const TaskQueue::Fits can_run;
  LentParallel parallel;
  std::weak_ptr<State> self;

  // Counts reasons to look at the queue; helpers poll it between two bodies.
  std::atomic<uint64_t> calls{0};
  mutable std::mutex mutex;  // Guards all below.
  std::condition_variable wake;
  std::condition_variable loan_ended;
  TaskQueue queue;
  LoanBook loans;
  std::vector<Place> places;
  uint32_t workers = 0;
  uint32_t busy = 0;
  uint32_t sleeping = 0;
  uint32_t coming = 0;  // Woken or started, but not yet looking at the queue.
  uint32_t waking = 0;  // Those of them that are still counted as sleeping.
  bool is_lingering = false;  // A worker looks out for calls without sleeping.
  bool is_stopped = false;
};

WorkerPool::State::State(const WorkerPoolOptions& pool_options, TaskRunner* task_runner,
                         const Clock& pool_clock)
    : options(pool_options),
      runner(task_runner),
      clock(pool_clock),
      can_run([task_runner](const TaskQueue::Entry& entry) { return task_runner->CanRun(entry); }),
      parallel(this, pool_options.max_workers),
      places(pool_options.max_workers) {}

// Called with the lock held. False if the system gives no thread, or the pool is full.
bool WorkerPool::State::Start(const std::shared_ptr<State>& self) {
  State& state = *self;
  const auto place = std::ranges::find_if(
      state.places, [](const Place& p) { return p.phase != Place::Phase::kRunning; });
  if (place == state.places.end()) return false;
  if (place->phase == Place::Phase::kEnded) pthread_join(place->thread, nullptr);
  place->phase = Place::Phase::kEmpty;
  auto argument = std::make_unique<Argument>(
      Argument{self, static_cast<uint32_t>(place - state.places.begin())});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const size_t stack_bytes =
      std::max<size_t>(state.options.stack_bytes, static_cast<size_t>(PTHREAD_STACK_MIN));
  pthread_attr_setstacksize(&attributes, (stack_bytes + 0xFFFF) & ~size_t{0xFFFF});
  const SignalsBlocked signals_blocked;
  const int error = pthread_create(&place->thread, &attributes, &ThreadMain, argument.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) return false;
  argument.release();  // The thread owns it now.
  place->phase = Place::Phase::kRunning;
  ++state.workers;
  ++state.coming;
  return true;
}

void* WorkerPool::State::ThreadMain(void* argument) {
  const std::unique_ptr<Argument> owned(static_cast<Argument*>(argument));
  const auto& [state, worker_id] = *owned;
  pthread_setname_np(pthread_self(), ("pixpress-" + std::to_string(worker_id)).c_str());
  // On Linux niceness is per thread. A refusal (rlimit) only costs politeness.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), state->options.nice);
  state->Work(worker_id);
  return nullptr;
}

void WorkerPool::State::Work(uint32_t worker_id) {
  std::unique_lock lock(mutex);
  --coming;
  while (!is_stopped) {
    if (std::optional<TaskQueue::Entry> entry = PopLocked()) {
      RunTask(lock, *entry, worker_id);
    } else if (Loan* loan = loans.Join()) {
      Help(lock, loan);
    } else if (!Sleep(lock)) {
      break;
    }
  }
  --workers;
  places[worker_id].phase = Place::Phase::kEnded;
}

std::optional<TaskQueue::Entry> WorkerPool::State::PopLocked() {
  if (queue.empty()) return std::nullopt;
  const size_t most_parked = size_t{2} * options.max_workers;
  std::optional<TaskQueue::Entry> entry;
  // With enough tasks known not to fit, trying more would only read files for nothing.
  if (queue.blocked_size() < most_parked) {
    entry = queue.PopFirst(can_run, 2 * most_parked + 16);
  }
  // Behind many that do not fit there may still be the one that memory was set aside for.
  if (!entry.has_value()) entry = queue.PopFirstBlocked(can_run);
  return entry;
}

void WorkerPool::State::RunTask(std::unique_lock<std::mutex>& lock, TaskQueue::Entry entry,
                                uint32_t worker_id) {
  ++busy;
  // Whoever takes a task sees to the next one: pushes need not wake more than one worker.
  if (!queue.empty()) CallWorkersLocked(1);
  lock.unlock();
  const RunOutcome outcome = runner->Run(entry, worker_id, parallel);
  lock.lock();
  --busy;
  if (outcome != RunOutcome::kBlocked) return;
  if (entry.blocked_since_ns == 0) entry.blocked_since_ns = std::max<int64_t>(clock.NowNs(), 1);
  queue.Push(entry);
}

void WorkerPool::State::Help(std::unique_lock<std::mutex>& lock, Loan* loan) {
  const uint64_t calls_before = calls.load(std::memory_order_relaxed);
  lock.unlock();
  loan->Work([&] { return calls.load(std::memory_order_relaxed) != calls_before; });
  lock.lock();
  loans.Leave(loan);
  if (!loans.HasHelpers(*loan)) loan_ended.notify_all();
}

// Look for work a moment longer: putting a thread to sleep and waking it costs more than a tiny
// task. One worker does so; more would only take time from those who bring work.
bool WorkerPool::State::Linger(std::unique_lock<std::mutex>& lock) {
  if (is_lingering) return false;
  is_lingering = true;
  const uint64_t calls_before = calls.load(std::memory_order_relaxed);
  lock.unlock();
  const int64_t end_ns = Clock::System().NowNs() + kLingerNs;
  bool is_called = false;
  while (!is_called && Clock::System().NowNs() < end_ns) {
    for (int i = 0; i < 32; ++i) PauseCpu();
    is_called = calls.load(std::memory_order_relaxed) != calls_before;
  }
  lock.lock();
  is_lingering = false;
  return is_called || calls.load(std::memory_order_relaxed) != calls_before;
}

// False if the worker has been idle for too long and is not needed.
bool WorkerPool::State::Sleep(std::unique_lock<std::mutex>& lock) {
  if (Linger(lock)) return true;
  bool is_due = false;
  ++sleeping;
  if (workers > options.min_workers) {
    is_due = wake.wait_for(lock, std::chrono::nanoseconds(options.idle_timeout_ns)) ==
             std::cv_status::timeout;
  } else {
    wake.wait(lock);
  }
  --sleeping;
  if (waking > 0) {
    // Awake for whatever reason, this worker looks at the queue now, as the called one would.
    --waking;
    --coming;
    return true;
  }
  return !is_due || workers <= options.min_workers;
}

// See to it that `wanted` workers look at the queue or the loans soon, as far as there are any.
void WorkerPool::State::CallWorkersLocked(size_t wanted) {
  while (coming + (is_lingering ? 1 : 0) < wanted && !is_stopped) {
    if (sleeping > waking) {
      ++waking;
      ++coming;
      wake.notify_one();
    } else if (workers >= options.max_workers || !Start(self.lock())) {
      return;
    }
  }
}

void WorkerPool::State::Offer(Loan* loan, size_t helpers) {
  const std::lock_guard lock(mutex);
  loans.Open(loan);
  CallWorkersLocked(helpers);
}

void WorkerPool::State::Recall(Loan* loan) {
  std::unique_lock lock(mutex);
  loans.Close(loan);
  loan_ended.wait(lock, [&] { return !loans.HasHelpers(*loan); });
}

void WorkerPool::State::StopLocked() {
  is_stopped = true;
  calls.fetch_add(1, std::memory_order_relaxed);
  wake.notify_all();
}

void WorkerPool::State::Join() {
  for (Place& place : places) {
    pthread_t thread;
    {
      const std::lock_guard lock(mutex);
      if (place.phase == Place::Phase::kEmpty) continue;
      thread = place.thread;
    }
    pthread_join(thread, nullptr);
    const std::lock_guard lock(mutex);
    place.phase = Place::Phase::kEmpty;
  }
}

WorkerPool::WorkerPool(const WorkerPoolOptions& options, TaskRunner* runner, const Clock& clock) {
  WorkerPoolOptions sane = options;
  sane.max_workers = std::max(sane.max_workers, 1u);
  sane.min_workers = std::min(sane.min_workers, sane.max_workers);
  state_ = std::make_shared<State>(sane, runner, clock);
  state_->self = state_;
  const std::lock_guard lock(state_->mutex);
  for (uint32_t i = 0; i < sane.min_workers && State::Start(state_); ++i) {
  }
}

WorkerPool::~WorkerPool() {
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

}  // namespace pixpress
