#include "isolation/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <utility>

#include "base/checked_math.h"
#include "base/clock.h"
#include "isolation/message.h"
#include "isolation/sanitized.h"

namespace pixpress {
namespace {

constexpr int kStartTimeoutMs = 10'000;
// What allocators and libraries take beyond what a plan counts.
constexpr uint64_t kSlackBytes = 64u << 20;
// Limits are set in steps, so that most jobs need no system call for them.
constexpr uint64_t kLimitStepBytes = 8u << 20;
constexpr int64_t kLimitStepNs = kNsPerSecond;

Status StartStatus(const std::string& what, int sys_errno) {
  return ErrnoStatus(StatusCode::kWorkerCrashed, "the worker process cannot start: " + what,
                     sys_errno);
}

// Both ends high enough not to be in the way of the child's own numbers.
Result<std::pair<FileDescriptor, FileDescriptor>> MakeSockets() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return StartStatus("socketpair", errno);
  }
  FileDescriptor ours(ends[0]);
  const FileDescriptor low(ends[1]);
  FileDescriptor theirs(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstUnusedFd));
  if (!theirs.is_open()) return StartStatus("socketpair", errno);
  return std::pair(std::move(ours), std::move(theirs));
}

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    // A process group of its own: Ctrl-C is for the parent, who then ends the child.
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  void OpenNull(int fd) { posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0); }
  void Move(int fd, int to) { posix_spawn_file_actions_adddup2(&actions_, fd, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

void SetSoftLimit(pid_t pid, __rlimit_resource resource, uint64_t value) {
  rlimit limit;
  if (prlimit(pid, resource, nullptr, &limit) != 0) return;  // It is gone, which Receive tells.
  limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
  prlimit(pid, resource, &limit, nullptr);
}

int64_t CpuNs(pid_t pid) {
  clockid_t clock;
  timespec now = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &now) != 0) return 0;
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

uint64_t AddressSpaceBytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  uint64_t pages = 0;
  file >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Status DescribeEnd(int status) {
  std::string text = "the worker process ";
  if (WIFEXITED(status)) {
    return Status(StatusCode::kWorkerCrashed,
                  text + "exited with code " + std::to_string(WEXITSTATUS(status)));
  }
  const int number = WTERMSIG(status);
  if (number == SIGXCPU) {
    return Status(StatusCode::kTaskTimeout, "the job used more CPU time than task_timeout");
  }
  text += "was killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  return Status(StatusCode::kWorkerCrashed, std::move(text));
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::string& program) {
  std::unique_ptr<ChildProcess> child(new ChildProcess());
  PIXPRESS_RETURN_IF_ERROR(child->Open(program));
  PIXPRESS_RETURN_IF_ERROR(child->AwaitHello());
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) static_cast<void>(Reap());
}

Status ChildProcess::Open(const std::string& program) {
  PIXPRESS_ASSIGN_OR_RETURN(auto sockets, MakeSockets());
  socket_ = std::move(sockets.first);
  constexpr timeval kPatience = {.tv_sec = 0, .tv_usec = kPatienceMs * 1000};
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)) != 0) {
    return StartStatus("setsockopt", errno);
  }
  PIXPRESS_ASSIGN_OR_RETURN(input_, SharedFile::Create("pixpress-input"));
  PIXPRESS_ASSIGN_OR_RETURN(output_, SharedFile::Create("pixpress-output"));
  PIXPRESS_ASSIGN_OR_RETURN(SharedFile control, SharedFile::Create("pixpress-control"));
  PIXPRESS_RETURN_IF_ERROR(control.Resize(kControlPageBytes));
  PIXPRESS_RETURN_IF_ERROR(control.SealSize());
  PIXPRESS_ASSIGN_OR_RETURN(control_, Mapping::Map(control.fd(), kControlPageBytes, true));
  return Spawn(program, sockets.second.get(), control.fd());
}

Status ChildProcess::Spawn(const std::string& program, int child_socket, int child_control) {
  const SpawnAttributes attributes;
  SpawnActions actions;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fd != STDERR_FILENO || !kIsSanitized) actions.OpenNull(fd);
  }
  actions.Move(child_socket, kSocketFd);
  actions.Move(input_.fd(), kInputFd);
  actions.Move(output_.fd(), kOutputFd);
  actions.Move(child_control, kControlFd);
  std::string parent = std::to_string(getpid());
  std::string name = "pixpress-worker";
  std::array<char*, 3> arguments = {name.data(), parent.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  const int error = posix_spawn(&pid_, program.c_str(), actions.get(), attributes.get(),
                                arguments.data(), environment.data());
  if (error == 0) return Status();
  pid_ = -1;
  return StartStatus(program, error);
}

Status ChildProcess::AwaitHello() {
  std::string bytes;
  Received received = Received::kNothing;
  for (int ms = 0; received == Received::kNothing && ms < kStartTimeoutMs; ms += kPatienceMs) {
    received = Receive(&bytes);
  }
  if (received == Received::kNothing) {
    static_cast<void>(Reap());
    return StartStatus("it is not ready", ETIMEDOUT);
  }
  if (received == Received::kGone) return Reap();
  PIXPRESS_ASSIGN_OR_RETURN(const Message message, ReadMessage(bytes));
  const Hello* hello = std::get_if<Hello>(&message);
  if (hello == nullptr) return StartStatus("it is another version", EPROTO);
  filter_errno_ = hello->filter_errno;
  own_address_space_bytes_ = AddressSpaceBytes(pid_);
  return Status();
}

bool ChildProcess::Send(std::string_view message) {
  ssize_t sent;
  do {
    sent = send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

ChildProcess::Received ChildProcess::Receive(std::string* message) {
  message->resize(kMostMessageBytes);
  const ssize_t size = recv(socket_.get(), message->data(), message->size(), MSG_TRUNC);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return Received::kNothing;
  if (size <= 0 || static_cast<size_t>(size) > kMostMessageBytes) return Received::kGone;
  message->resize(static_cast<size_t>(size));
  return Received::kMessage;
}

void ChildProcess::Limit(const ChildLimits& wanted) {
  const uint64_t memory_bytes = RoundUpTo(wanted.memory_bytes, kLimitStepBytes);
  const uint64_t output_bytes = RoundUpTo(wanted.output_bytes, kLimitStepBytes);
  if (memory_bytes != limits_.memory_bytes && !kIsSanitized) {  // These reserve terabytes.
    SetSoftLimit(pid_, RLIMIT_AS,
                 own_address_space_bytes_ + kSlackBytes + memory_bytes + memory_bytes / 10);
  }
  if (output_bytes != limits_.output_bytes) SetSoftLimit(pid_, RLIMIT_FSIZE, output_bytes);
  // CPU time is not faster than time: what was set a moment ago still leaves enough.
  const int64_t now_ns = Clock::System().NowNs();
  if (wanted.cpu_ns != limits_.cpu_ns || now_ns - cpu_limited_ns_ >= kLimitStepNs) {
    uint64_t cpu_seconds = RLIM_INFINITY;
    if (wanted.cpu_ns != 0) {
      const int64_t end_ns = CpuNs(pid_) + wanted.cpu_ns + kLimitStepNs;
      cpu_seconds = static_cast<uint64_t>(end_ns / kNsPerSecond) + 1;
    }
    SetSoftLimit(pid_, RLIMIT_CPU, cpu_seconds);
    cpu_limited_ns_ = now_ns;
  }
  limits_ = {.memory_bytes = memory_bytes, .output_bytes = output_bytes, .cpu_ns = wanted.cpu_ns};
}

Status ChildProcess::Reap() {
  int status = 0;
  pid_t reaped = waitpid(pid_, &status, WNOHANG);
  if (reaped == 0) {  // Still ours, so the number is nobody else's. A dying one keeps its status.
    kill(pid_, SIGKILL);
    do {
      reaped = waitpid(pid_, &status, 0);
    } while (reaped < 0 && errno == EINTR);
  }
  pid_ = -1;
  if (reaped > 0) return DescribeEnd(status);
  // The process ignores SIGCHLD, or somebody else waits for every child.
  return Status(StatusCode::kWorkerCrashed, "the worker process has ended");
}

}  // namespace pixpress
