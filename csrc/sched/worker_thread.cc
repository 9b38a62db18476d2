#include "sched/worker_thread.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace pixpress {
namespace {

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

}  // namespace

bool StartThread(pthread_t* thread, size_t stack_bytes, void* (*main)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  stack_bytes = std::max<size_t>(stack_bytes, static_cast<size_t>(PTHREAD_STACK_MIN));
  pthread_attr_setstacksize(&attributes, (stack_bytes + 0xFFFF) & ~size_t{0xFFFF});
  const SignalsBlocked signals_blocked;
  const int error = pthread_create(thread, &attributes, main, argument);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

void SetUpThread(const char* name, int nice) {
  pthread_setname_np(pthread_self(), name);
  // On Linux niceness is per thread.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice);
}

int64_t ThreadCpuNs(pthread_t thread) {
  clockid_t clock;
  timespec time = {};
  if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace pixpress
