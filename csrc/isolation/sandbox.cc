#include "isolation/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "isolation/message.h"
#include "isolation/sanitized.h"

namespace pixpress {
namespace {

// As the specification has it.
constexpr rlim_t kStackBytes = 4u << 20;

Status Failed(const char* what) { return ErrnoStatus(StatusCode::kWorkerCrashed, what, errno); }

void CloseInherited() {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, kFirstUnusedFd, ~0u, 0) == 0) return;
#endif
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = kFirstUnusedFd; fd < most; ++fd) close(fd);
}

Status LimitTo(__rlimit_resource resource, rlim_t value) {
  const rlimit limit = {.rlim_cur = value, .rlim_max = value};
  return setrlimit(resource, &limit) == 0 ? Status() : Failed("setrlimit");
}

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

// What decoders, allocators and the C library use between two messages, on what is open already.
constexpr std::array kAllowed = {
    SCMP_SYS(brk),          SCMP_SYS(clock_gettime),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
    SCMP_SYS(futex),        SCMP_SYS(getpid),
    SCMP_SYS(getrandom),    SCMP_SYS(gettid),
    SCMP_SYS(madvise),      SCMP_SYS(mremap),
    SCMP_SYS(munmap),       SCMP_SYS(poll),
    SCMP_SYS(ppoll),        SCMP_SYS(pwrite64),
    SCMP_SYS(read),         SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(write),
};

int AddRules(scmp_filter_ctx context) {
  for (const int call : kAllowed) {
    const int error = seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 0);
    if (error != 0) return error;
  }
  // New memory never holds code.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    const int error = seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 1,
                                       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (error != 0) return error;
  }
  // abort() signals its own process, and nobody else.
  return seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                          SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));
}

}  // namespace

Status EnterSandbox(pid_t parent) {
  CloseInherited();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Failed("prctl");
  if (getppid() != parent) return Status(StatusCode::kWorkerCrashed, "the parent has gone");
  if (chdir("/") != 0) return Failed("chdir");
  // A file that is too large is an error, and no signal.
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR) return Failed("signal");
  PIXPRESS_RETURN_IF_ERROR(LimitTo(RLIMIT_CORE, 0));
  PIXPRESS_RETURN_IF_ERROR(LimitTo(RLIMIT_STACK, kStackBytes));
  if (!kIsSanitized) {  // Sanitizers open files, and one of them starts a thread.
    PIXPRESS_RETURN_IF_ERROR(LimitTo(RLIMIT_NOFILE, kFirstUnusedFd));
    PIXPRESS_RETURN_IF_ERROR(LimitTo(RLIMIT_NPROC, 0));
    // Neither core dumps through a pipe, nor other processes of this user that look in.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return Failed("prctl");
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? Status() : Failed("prctl");
}

int FilterSystemCalls() {
  if (kIsSanitized) return ENOSYS;
  const Context context(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (context == nullptr) return ENOMEM;
  int error = AddRules(context.get());
  if (error == 0) error = seccomp_load(context.get());
  return -error;
}

}  // namespace pixpress
