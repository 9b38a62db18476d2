#include "isolation/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "isolation/message.h"
#include "isolation/sanitized.h"
#include "worker_programs.h"

namespace pixpress {
namespace {

std::string ReadProc(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string StatusField(pid_t pid, const std::string& name) {
  const std::string text = ReadProc(pid, "status");
  const size_t begin = text.find("\n" + name + ":\t");
  if (begin == text.npos) return "";
  const size_t value = begin + name.size() + 3;
  return text.substr(value, text.find('\n', value) - value);
}

std::unique_ptr<ChildProcess> MustStart() {
  auto child = ChildProcess::Start(kWorker);
  EXPECT_TRUE(child.ok()) << child.status().message();
  return child.ok() ? std::move(child).value() : nullptr;
}

// Waits for the end of the process.
bool IsGone(ChildProcess& child) {
  std::string bytes;
  auto received = ChildProcess::Received::kNothing;
  while (received == ChildProcess::Received::kNothing) received = child.Receive(&bytes);
  return received == ChildProcess::Received::kGone;
}

rlimit LimitOf(pid_t pid, __rlimit_resource resource) {
  rlimit limit = {};
  EXPECT_EQ(prlimit(pid, resource, nullptr, &limit), 0);
  return limit;
}

TEST(ChildProcess, StartsWithAnEmptyEnvironmentAndNothingOfTheParent) {
  setenv("PIXPRESS_TEST_SECRET", "1", 1);
  const int inherited =
      open("/etc/passwd", O_RDONLY);  // Without close-on-exec, as hosts have them.
  const auto child = MustStart();
  ASSERT_NE(child, nullptr);
  if (geteuid() == 0) {  // The process is not dumpable, so that only root may look.
    EXPECT_EQ(ReadProc(child->pid(), "environ"), "");
    std::set<int> descriptors;
    const std::string folder = "/proc/" + std::to_string(child->pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      descriptors.insert(std::stoi(entry.path().filename()));
    }
    EXPECT_EQ(descriptors, (std::set<int>{0, 1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(child->pid()) + "/cwd"), "/");
  }
  EXPECT_NE(getpgid(child->pid()), getpgrp());
  close(inherited);
}

TEST(ChildProcess, HasNoNewPrivilegesAndAFilterAsTheKernelSaysIt) {
  const auto child = MustStart();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(StatusField(child->pid(), "NoNewPrivs"), "1");
  if (kIsSanitized) GTEST_SKIP() << "sanitizers need other system calls";
  if (child->filter_errno() != 0) GTEST_SKIP() << "the kernel refuses: " << child->filter_errno();
  EXPECT_EQ(StatusField(child->pid(), "Seccomp"), "2");
  EXPECT_EQ(StatusField(child->pid(), "Threads"), "1");
}

TEST(ChildProcess, HasFixedLimitsForEver) {
  const auto child = MustStart();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_CORE).rlim_max, 0u);
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_STACK).rlim_max, 4u << 20);
  if (kIsSanitized) return;
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_NOFILE).rlim_max, 7u);
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_NPROC).rlim_max, 0u);
}

TEST(ChildProcess, LimitsAreThoseOfTheLastJob) {
  const auto child = MustStart();
  ASSERT_NE(child, nullptr);
  child->Limit({.memory_bytes = 100u << 20, .output_bytes = 12'345, .cpu_ns = 5 * kNsPerSecond});
  const rlim_t large = LimitOf(child->pid(), RLIMIT_AS).rlim_cur;
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_FSIZE).rlim_cur, 8u << 20);  // The next step.
  EXPECT_GE(LimitOf(child->pid(), RLIMIT_CPU).rlim_cur, 6u);
  EXPECT_LE(LimitOf(child->pid(), RLIMIT_CPU).rlim_cur, 8u);
  child->Limit({.memory_bytes = 1u << 20, .output_bytes = 1, .cpu_ns = 0});
  EXPECT_EQ(LimitOf(child->pid(), RLIMIT_CPU).rlim_cur, RLIM_INFINITY);
  if (kIsSanitized) return;
  EXPECT_LT(LimitOf(child->pid(), RLIMIT_AS).rlim_cur, large);
  EXPECT_LT(large, rlim_t{1} << 30);
}

TEST(ChildProcess, LeavesNoZombieAndNoDescriptor) {
  const auto count = [] {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = count();
  pid_t pid = 0;
  {
    const auto child = MustStart();
    ASSERT_NE(child, nullptr);
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_EQ(count(), before);
}

TEST(ChildProcess, EndsWithTheThreadThatStartedIt) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] { child = MustStart(); }).join();
  ASSERT_NE(child, nullptr);
  EXPECT_TRUE(IsGone(*child));
  EXPECT_NE(child->Reap().message().find("signal 9"), std::string::npos);
}

TEST(ChildProcess, SaysHowItEnded) {
  const auto child = MustStart();
  ASSERT_NE(child, nullptr);
  kill(child->pid(), SIGSEGV);
  EXPECT_TRUE(IsGone(*child));
  const Status end = child->Reap();
  EXPECT_EQ(end.code(), StatusCode::kWorkerCrashed);
  if (kIsSanitized) return;  // Which has a handler for it.
  EXPECT_NE(end.message().find("signal 11"), std::string::npos) << end.message();
}

TEST(ChildProcess, IsReapedWhereTheHostIgnoresItsChildren) {
  struct sigaction before = {};
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  {
    const auto child = MustStart();
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(child->Reap().code(), StatusCode::kWorkerCrashed);
  }
  sigaction(SIGCHLD, &before, nullptr);
}

TEST(ChildProcess, AMissingProgramIsAnErrorWithItsName) {
  const auto child = ChildProcess::Start("/nowhere/worker");
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.status().code(), StatusCode::kWorkerCrashed);
  EXPECT_EQ(child.status().sys_errno(), ENOENT);
  EXPECT_NE(child.status().message().find("/nowhere/worker"), std::string::npos);
}

TEST(ChildProcess, AProgramThatIsNoWorkerIsRefused) {
  const auto child = ChildProcess::Start("/bin/true");
  ASSERT_FALSE(child.ok());
  EXPECT_NE(child.status().message().find("exited with code 0"), std::string::npos);
}

}  // namespace
}  // namespace pixpress
